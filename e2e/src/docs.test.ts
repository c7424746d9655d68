import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import {
  type ClientFrame,
  closeCodes,
  frameErrors,
  mayReconnect,
  parseClientFrame,
  type ServerFrame,
  serverFrameKinds,
} from '@posthorn/protocol';
import { Keys } from '@posthorn/routing';
import { problemsCatalogue, settingsCatalogue } from '@posthorn/runtime';
import { NODE_FLAGS } from '@posthorn/stack';
import { logCalls } from './docs/log-calls';
import { anchors, blocksOf, codeSpans, links, section, tableRows } from './docs/markdown';
import { filesBelow, pages, read, root, sources } from './docs/repository';

const protocol = read('PROTOCOL.md');

test.each(['send-api', 'ws-gateway'])(
  'the image of %s starts Node as the tests and the bench do',
  (service) => {
    const command = JSON.stringify(['node', ...NODE_FLAGS, 'dist/main.js']).replaceAll(',', ', ');
    expect(read(`deploy/${service}.Dockerfile`)).toContain(`\nCMD ${command}\n`);
  },
);

test.each(['send-api', 'ws-gateway', 'cli'])('the image of %s says which version it is', (name) => {
  const { version, license }: { version: string; license: string } = JSON.parse(read('package.json'));
  const image = read(`deploy/${name}.Dockerfile`);
  expect(image).toContain(`org.opencontainers.image.version="${version}"`);
  expect(image).toContain(`org.opencontainers.image.licenses="${license}"`);
});

/** Exhaustive by their types: a frame that is added or removed does not compile here. */
const SERVER_FRAMES = {
  welcome: true,
  message: true,
  skipped: true,
  caughtUp: true,
  receipt: true,
  ok: true,
  error: true,
  pong: true,
  goodbye: true,
} satisfies Record<ServerFrame['type'], true>;
const CLIENT_FRAMES = { ack: true, read: true, auth: true, ping: true } satisfies Record<
  ClientFrame['type'],
  true
>;

/** Of the WebSocket protocol itself: no code of ours sends them. */
const FOREIGN_CLOSE_CODES = [1000, 1001, 1002, 1006];

/** A path from the root, or in the README of a package from there. */
const NAMED_FILE =
  /^(?:libs|services|e2e|chaos|bench|conformance|scripts|docs|deploy|\.github|src|test)\/[\w./-]+$/;
const OF_THE_PACKAGE = /^(?:src|test)\//;

/** A metric's name where it is registered. */
const REGISTERED = /(?:name: 'posthorn_|METRIC_PREFIX\}|counter\(\s*'|gauge\(registry, ')[a-z]+(?:_[a-z]+)*/g;

describe('the references', () => {
  it('are what the code says now', () => {
    expect(() =>
      execFileSync(process.execPath, ['scripts/write-references.mjs', '--check'], { cwd: root }),
    ).not.toThrow();
  });

  it('name every metric that the sources register, and no other', () => {
    const registered = sources().flatMap((path) =>
      [...read(path).matchAll(REGISTERED)].map(
        ([text]) => `posthorn_${/[a-z_]+$/.exec(text)?.[0].replace(/^posthorn_/, '')}`,
      ),
    );
    const listed = ['## Both', '## send-api', '## ws-gateway'].flatMap((heading) =>
      tableRows(read('docs/metrics.md'), heading)
        .slice(1)
        .flatMap(([name = '']) => codeSpans(name)),
    );
    expect(listed.sort()).toEqual(unique(registered));
  });
});

describe('PROTOCOL.md', () => {
  it('§2: lists every setting, and no other', () => {
    const rows = [...tableRows(protocol, '### 2.3'), ...tableRows(protocol, '### 2.1')];
    expect(settingsIn(rows.map(([name = '']) => name).join(' '))).toEqual(
      Object.keys(settingsCatalogue).sort(),
    );
    expect(settingsIn(protocol).filter((name) => !Object.hasOwn(settingsCatalogue, name))).toEqual([]);
  });

  it('§2: gives the default of every setting', () => {
    for (const [name = '', , defaults = ''] of tableRows(protocol, '### 2.3').slice(1)) {
      const listed = settingsIn(name).map((setting) => ({ setting, value: defaultOf(setting) }));
      const expected = codeSpans(name).map((code) => listed.find(({ setting }) => setting === code)?.value);
      if (expected.every((value) => value !== undefined)) {
        expect(`${name}: ${defaults.replaceAll('`', '')}`).toBe(`${name}: ${expected.join(', ')}`);
      }
    }
  });

  it('§4: lists every problem under its status, and no other', () => {
    const listed = tableRows(protocol, '### 4.7')
      .slice(1)
      .flatMap(([status, , codes = '']) => codeSpans(codes).map((code) => `${status} ${code}`));
    const known = Object.entries(problemsCatalogue).map(([code, { status }]) => `${status} ${code}`);
    expect(listed.sort()).toEqual(known.sort());
  });

  it('§4: has a heading for every endpoint of the reference, and no other', () => {
    const operations = read('services/send-api/src/reference/operations.ts');
    const known = [...operations.matchAll(/method: '(\w+)',\s+path: '([^']+)'/g)].map(
      ([, method = '', path = '']) => `${method.toUpperCase()} ${path.replace('{id}', 'ID')}`,
    );
    const headings = [...section(protocol, '## 4.').matchAll(/^#### ((?:GET|POST) \/.*)$/gm)];
    expect(known.length).toBeGreaterThan(5);
    expect(headings.map(([, endpoint]) => endpoint).sort()).toEqual([...known, 'GET /docs'].sort());
  });

  it('§5: has a heading for every frame of each direction, and no other', () => {
    expect(framesOf('### 5.2', 'server → client').map(({ type }) => type)).toEqual(
      Object.keys(SERVER_FRAMES).sort(),
    );
    expect(framesOf('### 5.3', 'client → server').map(({ type }) => type)).toEqual(
      Object.keys(CLIENT_FRAMES).sort(),
    );
  });

  it('§5: shows an example of every frame, with the fields that it has', () => {
    const kinds = new Map(Object.entries(serverFrameKinds));
    for (const { type, example } of framesOf('### 5.2', 'server → client')) {
      const { properties, required } = kinds.get(type)?.schema ?? {};
      const fields = Object.keys(JSON.parse(example));
      expect(JSON.parse(example)).toEqual(expect.objectContaining({ type }));
      expect(fields).toEqual(expect.arrayContaining([required].flat()));
      expect(Object.keys(Object(properties))).toEqual(expect.arrayContaining(fields));
    }
    for (const { type, example } of framesOf('### 5.3', 'client → server')) {
      expect(parseClientFrame(example)).toEqual({ frame: expect.objectContaining({ type }) });
    }
  });

  it('§5: lists every code of an error frame, and no other', () => {
    const listed = tableRows(protocol, '### 5.4')
      .slice(1)
      .flatMap(([code = '']) => codeSpans(code));
    expect(listed.sort()).toEqual(Object.keys(frameErrors).sort());
  });

  it('§5: lists every close code, no other, and who comes back after which', () => {
    const rows = tableRows(protocol, '### 5.7').slice(1);
    const known = [...FOREIGN_CLOSE_CODES, ...Object.values(closeCodes).map(({ code }) => code)];
    expect(rows.map(([code]) => Number(code))).toEqual(known.sort((a, b) => a - b));
    for (const [code, , client = ''] of rows) {
      expect(`${code} ${/reconnects/.test(client)}`).toBe(`${code} ${mayReconnect(Number(code))}`);
    }
    const bounds = [4000, 4499, 4500, 4999];
    const named = [...protocol.matchAll(/\b4[0-9]{3}\b/g)]
      .map(([code]) => Number(code))
      .filter((code) => code !== 4096);
    expect(named.filter((code) => !known.includes(code) && !bounds.includes(code))).toEqual([]);
  });

  it('§4, §5: names no code that does not exist', () => {
    const known = [...Object.keys(problemsCatalogue), ...Object.keys(frameErrors)];
    const named = codeSpans(protocol).filter((code) => /^[a-z]+(?:_[a-z]+)+$/.test(code));
    expect(named.filter((code) => !known.includes(code))).toEqual([]);
  });

  it('§6: spells the Redis names as the code does', () => {
    const keys = new Keys('posthorn:');
    const known = [
      keys.presence('USER'),
      keys.offline('USER'),
      keys.sends('USER'),
      keys.lease('ID'),
      keys.channel('ID'),
      keys.gateways(),
      keys.inspection('ID'),
    ];
    const listed = tableRows(protocol, '### 6.1')
      .slice(1)
      .flatMap(([name = '']) => codeSpans(name));
    expect(listed.sort()).toEqual(known.sort());
  });

  it('has every section that the code cites', () => {
    const sections = new Set([...protocol.matchAll(/^##+ ([\d.]*\d)\.? /gm)].map(([, number]) => number));
    const files = [...filesBelow('libs'), ...filesBelow('services'), ...filesBelow('e2e')];
    const cited = files
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => {
        // A title of a test names the section alone.
        const pattern = path.endsWith('.test.ts') ? /(?<!RFC \d+ )§([\d.]*\d)/g : /PROTOCOL §([\d.]*\d)/g;
        return [...read(path).matchAll(pattern)].map(([, number = '']) => ({ path, number }));
      });
    expect(cited.length).toBeGreaterThan(10);
    expect(cited.filter(({ number }) => !sections.has(number))).toEqual([]);
  });
});

describe('docs/log-fields.md', () => {
  const page = read('docs/log-fields.md');
  const calls = sources().flatMap((path) => logCalls(read(path)));

  it('lists every line that is logged, and no other', () => {
    const listed = tableRows(page, '## Lines')
      .slice(1)
      .flatMap(([message = '']) => codeSpans(message));
    expect(listed.sort()).toEqual(unique(calls.map(({ message }) => message)));
  });

  it('gives each line its fields', () => {
    const listed = tableRows(page, '## Lines').slice(1);
    for (const [message = '', , fields = ''] of listed) {
      const logged = calls.filter((call) => `\`${call.message}\`` === message).flatMap((call) => call.fields);
      expect({ message, fields: unique(codeSpans(fields)) }).toEqual({ message, fields: unique(logged) });
    }
  });

  it('explains every field, and no other', () => {
    const explained = tableRows(page, '## Fields')
      .slice(1)
      .flatMap(([field = '']) => codeSpans(field));
    expect(explained.sort()).toEqual(unique(calls.flatMap(({ fields }) => fields)));
  });
});

describe('ARCHITECTURE.md', () => {
  const rows = tableRows(read('ARCHITECTURE.md'), '## Modules').slice(1);
  const listed = new Map(
    rows.flatMap(([packages = '', imports = '']) =>
      codeSpans(packages).map((name) => [name, imports === 'nothing' ? [] : imports.split(', ').sort()]),
    ),
  );

  it('lists every package, and no other', () => {
    const workspace = filesBelow('').filter((path) => /^(?:[a-z0-9-]+\/){1,2}package\.json$/.test(path));
    expect([...listed.keys()].sort()).toEqual(workspace.map(dirname).sort());
  });

  it('lists what each package may import as its package.json and the check of layers do', () => {
    for (const [name, imports] of listed) {
      const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(
        read(`${name}/package.json`),
      );
      const own = Object.keys(dependencies).filter((dependency) => dependency.startsWith('@posthorn/'));
      expect({ name, imports }).toEqual({
        name,
        imports: own.map((dependency) => dependency.slice('@posthorn/'.length)).sort(),
      });
    }
    const checked = [
      ...read('.dependency-cruiser.cjs').matchAll(/'((?:libs|services)\/[a-z-]+)': \[([^\]]*)\]/g),
    ];
    expect(checked.length).toBeGreaterThan(10);
    for (const [, name = '', list = ''] of checked) {
      const libs = [...list.matchAll(/'libs\/([a-z-]+)'/g)].map(([, lib = '']) => lib);
      expect({ name, imports: libs.sort() }).toEqual({ name, imports: listed.get(name) });
    }
  });
});

describe('docs/BUFFERS.md', () => {
  const page = read('docs/BUFFERS.md');
  const headings = [...page.matchAll(/^## .+$/gm)].map(([heading]) => heading);
  const rows = headings.flatMap((heading) => tableRows(page, heading).slice(1));

  it('gives each limit as the file beside it has it', () => {
    expect(rows.length).toBeGreaterThan(40);
    const wrong = rows.flatMap(([what = '', limit = '', where = '']) => {
      const known = new Set(codeSpans(where).flatMap((path) => numbersIn(read(path))));
      return amountsIn(limit)
        .filter((amount) => !known.has(amount))
        .map((amount) => `${what}: ${amount} is not in ${where}`);
    });
    expect(wrong).toEqual([]);
  });

  it('names only settings that exist', () => {
    const named = rows.flatMap(([, limit = '']) => codeSpans(limit));
    // Read by OpenTelemetry itself.
    const own = named.filter((name) => !name.startsWith('OTEL_'));
    expect(own.filter((name) => !Object.hasOwn(settingsCatalogue, name))).toEqual([]);
  });
});

describe('every page', () => {
  it('links only to what is there', () => {
    const broken = pages().flatMap((page) =>
      links(read(page))
        .filter((target) => !/^https?:/.test(target) && !leadsSomewhere(page, target))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('names only files that are there', () => {
    const gone = pages().flatMap((page) =>
      codeSpans(read(page))
        .filter((code) => NAMED_FILE.test(code))
        .map((path) => (OF_THE_PACKAGE.test(path) ? join(dirname(page), path) : path))
        .filter((path) => !existsSync(join(root, sourceOf(path))))
        .map((path) => `${page}: ${path}`),
    );
    expect(gone).toEqual([]);
  });

  it('names only commands that package.json has', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
    const own = new Set([...Object.keys(scripts), 'install', 'run']);
    const named = pages().flatMap((page) =>
      [...read(page).matchAll(/\b(?:pnpm|npm)(?: run)? ([a-z]+)\b/g)].map(([text, name = '']) => ({
        page,
        text,
        name,
      })),
    );
    expect(named.filter(({ name }) => !own.has(name))).toEqual([]);
  });

  it('names the pnpm that package.json names', () => {
    const { packageManager }: { packageManager: string } = JSON.parse(read('package.json'));
    const named = pages().flatMap((page) => read(page).match(/pnpm@[\d.]+\d/g) ?? []);
    expect(new Set(named)).toEqual(new Set([packageManager.replace(/\+.*/, '')]));
  });
});

function settingsIn(text: string): string[] {
  const names = codeSpans(text).filter((code) => /^[A-Z]+(?:_[A-Z]+)*$/.test(code));
  return unique(names.filter((name) => name.includes('_') || Object.hasOwn(settingsCatalogue, name)));
}

/** The default as text; undefined where it has none, or one for each service. */
function defaultOf(name: string): string | undefined {
  const setting = Object.entries(settingsCatalogue).find(([known]) => known === name)?.[1];
  return setting !== undefined && 'default' in setting && typeof setting.default === 'string'
    ? setting.default
    : undefined;
}

/** The frames that the headings of a section name, such as `#### ack (client → server)`, each with its example. */
function framesOf(heading: string, direction: string): { type: string; example: string }[] {
  return [...section(protocol, heading).matchAll(/^#### (.+)$/gm)]
    .map(([title, name = '']) => ({
      type: name.replace(` (${direction})`, ''),
      example: blocksOf(section(protocol, title))[0]?.text ?? '',
    }))
    .sort((a, b) => (a.type < b.type ? -1 : 1));
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(root, file))) return false;
  return anchor === undefined || anchors(read(file)).has(anchor);
}

/** Every number that a file spells, whatever separates its thousands. */
function numbersIn(text: string): number[] {
  return [...text.matchAll(/\b\d[\d_,]*\b/g)].map(([number]) => Number(number.replaceAll(/[_,]/g, '')));
}

/** The amounts of a limit as code has them: times in milliseconds, sizes in bytes. */
function amountsIn(limit: string): number[] {
  const units = { s: 1_000, minutes: 60_000, hour: 3_600_000, KiB: 1_024, MiB: 1_048_576 };
  return [...limit.matchAll(/\b(\d[\d,]*)(?: (s|minutes|hour|KiB|MiB)\b)?/g)].map(
    ([, number = '', unit = '']) =>
      Number(number.replaceAll(',', '')) * (new Map(Object.entries(units)).get(unit) ?? 1),
  );
}

/** What is built is there only after a build; its source says whether it ever is. */
function sourceOf(path: string): string {
  return path.includes('/dist/') ? path.replace('/dist/', '/src/').replace(/\.js$/, '.ts') : path;
}

function unique(items: readonly string[]): string[] {
  return [...new Set(items)].sort();
}
