import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Mutation, StartVariant } from './chaos-world';
import { launchOf } from './launch';

const REPOSITORY = join(__dirname, '..', '..', '..');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-launch-'));
  writeFileSync(join(folder, 'main.js'), "process.stdout.write(require('./part').text());");
  writeFileSync(join(folder, 'part.js'), "exports.text = () => 'a' + 'b' + 'b';");
});

afterEach(() => rmSync(folder, { recursive: true }));

function run(
  variant: StartVariant,
  file = 'main.js',
): { output: string; errors: string; code: number | null } {
  const mutations = (variant.mutations ?? []).map((change) => ({
    ...change,
    file: relative(REPOSITORY, join(folder, change.file)),
  }));
  const { env, execArgv } = launchOf({ ...variant, mutations });
  const { stdout, stderr, status } = spawnSync(process.execPath, [...execArgv, join(folder, file)], {
    encoding: 'utf8',
    env,
  });
  return { output: stdout, errors: stderr, code: status };
}

/** Of a file of the test's folder. */
function mutation(find: string, replace: string, file = 'part.js'): Mutation {
  return { file, find, replace };
}

describe('mutations', () => {
  it('replace a piece of a file when it is loaded, word for word', () => {
    expect(run({}).output).toBe('abb');
    expect(run({ mutations: [mutation("'a'", "'$&'")] }).output).toBe('$&bb');
  });

  it('are applied one after the other, also to the file that is started', () => {
    const mutations = [
      mutation("'a'", "'c'"),
      mutation("'c'", "'d'"),
      mutation('.text()', ".text() + '!'", 'main.js'),
    ];
    expect(run({ mutations }).output).toBe('dbb!');
  });

  it.each([
    ['is not there', mutation("'z'", ''), "part.js has 0 times, and not once: 'z'"],
    ['is there twice', mutation("'b'", ''), "part.js has 2 times, and not once: 'b'"],
    ['is in a file that does not exist', mutation('x', '', 'none.js'), 'none.js'],
  ])('end the process with 70 and say so when what they look for %s', (_, broken, message) => {
    const { output, errors, code } = run({ mutations: [broken] });
    expect({ output, code }).toEqual({ output: '', code: 70 });
    expect(errors).toContain(message);
  });
});

describe('clock skew', () => {
  const CLOCK = `
    const date = new Date(0);
    process.stdout.write(JSON.stringify({
      now: Date.now(), fresh: +new Date(), again: +new date.constructor(), called: Date.parse(Date()),
      fixed: +new Date(5), utc: Date.UTC(1970, 0, 1), isDate: date instanceof Date,
      uptime: performance.now(),
    }));`;

  it('shifts the wall clock and nothing else', () => {
    writeFileSync(join(folder, 'clock.js'), CLOCK);
    const hour = 3_600_000;
    const before = Date.now();
    const { output, errors } = run({ clockSkewMs: -hour }, 'clock.js');
    expect(errors).toBe('');
    const clock: Record<string, number> = JSON.parse(output);
    const after = Date.now();
    for (const name of ['now', 'fresh', 'again', 'called']) {
      // A date as text has no milliseconds.
      expect(clock[name]).toBeGreaterThanOrEqual(before - hour - 1_000);
      expect(clock[name]).toBeLessThanOrEqual(after - hour);
    }
    expect(clock).toMatchObject({ fixed: 5, utc: 0, isDate: true });
    expect(clock['uptime']).toBeLessThanOrEqual(after - before);
  });
});

it('a variant adds its settings, and works with mutations and a skew at once', () => {
  writeFileSync(
    join(folder, 'all.js'),
    "process.stdout.write(process.env.NAME + (Date.now() > 5e12) + 'x');",
  );
  const { output } = run(
    { env: { NAME: 'n' }, mutations: [mutation("'x'", "'y'", 'all.js')], clockSkewMs: 5e12 },
    'all.js',
  );
  expect(output).toBe('ntruey');
});
