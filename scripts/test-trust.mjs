/**
 * `npm run test:trust -- --runs N [--busy K] [--system]`: runs `npm test` (or `npm run test:system`) N times beside K
 * busy processes per core. For each run it prints the duration and the failed tests. A test that fails here waits for
 * a duration where it should wait for an event.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cleanEnv, root } from './lib/run.mjs';
import { duration } from './lib/steps.mjs';

const EX_USAGE = 64;
const USAGE = `usage: npm run test:trust -- --runs N [--busy K] [--system]
  --runs N   how often, 1 or more
  --busy K   busy processes per core beside it; 2 unless given
  --system   npm run test:system instead of npm test`;
/** Ends when its parent has ended, in any way. */
const BUSY = 'const parent = process.ppid; while (process.ppid === parent);';

const { runs, busy, isSystem } = readOptions();
const folder = mkdtempSync(join(tmpdir(), 'posthorn-trust-'));
const name = isSystem ? 'npm run test:system' : 'npm test';
const burners = Array.from({ length: busy * availableParallelism() }, () =>
  spawn(process.execPath, ['-e', BUSY], { stdio: 'ignore' }),
);
process.stdout.write(`${burners.length} busy processes beside ${name}; the logs are in ${folder}\n`);
let green = 0;
try {
  for (let run = 1; run <= runs; run += 1) green += (await runOnce(run)) ? 1 : 0;
} finally {
  for (const burner of burners) burner.kill('SIGKILL');
}
process.stdout.write(`${green} of ${runs} runs were green\n`);
process.exitCode = green === runs ? 0 : 1;

function readOptions() {
  const known = {
    runs: { type: 'string' },
    busy: { type: 'string', default: '2' },
    system: { type: 'boolean' },
  };
  try {
    const { values } = parseArgs({ options: known });
    const given = { runs: Number(values.runs), busy: Number(values.busy), isSystem: values.system === true };
    if (Number.isInteger(given.runs) && given.runs >= 1 && Number.isInteger(given.busy) && given.busy >= 0)
      return given;
  } catch {
    // An unknown option.
  }
  process.stderr.write(`${USAGE}\n`);
  process.exit(EX_USAGE);
}

/** Returns true if the run passed. Its output goes to a file, and only failures to the terminal. */
async function runOnce(run) {
  const log = join(folder, `run-${run}.log`);
  const script = join(root, 'scripts', isSystem ? 'test-system.mjs' : 'test.mjs');
  const startedAt = performance.now();
  const child = spawn(process.execPath, [script], {
    cwd: root,
    env: cleanEnv({ CI: 'true' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const end = (signal) => {
    child.kill(signal);
    for (const burner of burners) burner.kill('SIGKILL');
  };
  process.once('SIGTERM', end).once('SIGINT', end);
  const file = createWriteStream(log);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const [code, signal] = await once(child, 'close');
  process.off('SIGTERM', end).off('SIGINT', end);
  if (burners.some(({ killed }) => killed)) process.exit(1);
  file.end();
  await once(file, 'close');
  const said = readFileSync(log, 'utf8').trimEnd().split('\n');
  const time = duration(performance.now() - startedAt);
  process.stdout.write(`${code === 0 ? '✓' : '✗'} run ${run} of ${runs}  ${time}  ${said.at(-1)}\n`);
  if (code !== 0) {
    const from = said.findLastIndex((line) => line.startsWith('Failed, each with'));
    const lines = from < 0 ? [`it ended with ${signal ?? code}`] : said.slice(from + 1, -1);
    process.stdout.write(`${lines.filter((line) => line !== '').join('\n')}\n`);
  }
  return code === 0;
}
