import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { eventually } from '@posthorn/testing';
import { blocksOf, codeSpans, section } from './docs/markdown';
import { read, repoFile } from './docs/repository';
import { World } from './fixture';

/** Needs Docker, which a machine for tests may not have: only its file is looked at. */
const NEEDS_DOCKER = /^docker compose /m;

/** `npm start` looks at the build and starts the whole stack: only a start that hangs takes longer. */
const START_MS = 180_000;

const blocks = blocksOf(read('README.md'));
const [tryIt = '', listen = '', send = '', run = '', ...rest] = blocks
  .filter(({ language, text }) => language === 'sh' && !NEEDS_DOCKER.test(text))
  .map(({ text }) => text);

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(async () => {
  await world.stop();
});

interface Shell extends ChildProcess {
  said: () => string;
}

/** In a process group of its own, so that all it starts can be ended with it. */
function shell(command: string, env: Readonly<Record<string, string>> = {}): Shell {
  const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', command], {
    cwd: repoFile('.'),
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return Object.assign(child, { said: () => said });
}

async function end(child: Shell): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await once(child, 'close');
  }
}

it('has these blocks and no other', () => {
  expect(blocks).toHaveLength(6);
  expect(rest).toEqual([]);
  expect(tryIt.split('\n').map((line) => line.split('#')[0]?.trim())).toEqual(['npm start', 'npm test', '']);
});

it('npm start; listen, send with our command and with curl', async () => {
  const stack = shell('npm start');
  let listener: Shell | undefined;
  try {
    await eventually('it runs', () => stack.said().includes('It runs. Open http'), START_MS);
    const { POSTHORN_API = '' } = parseEnv(readFileSync(repoFile('.posthorn/dev.env'), 'utf8'));
    listener = shell(listen);
    await eventually('bob listens', () => listener?.said().includes('online'));
    const before = listener.said();
    // The usual port, unless something else has it.
    const sender = shell(send.replaceAll('http://127.0.0.1:3000', POSTHORN_API));
    await once(sender, 'close');
    expect({ code: sender.exitCode, said: sender.said() }).toMatchObject({ code: 0 });
    await eventually(
      'both have come',
      () =>
        (
          listener
            ?.said()
            .slice(before.length)
            .match(/alice: hello$/gm) ?? []
        ).length === 2,
    );
    const [page] = /http:\/\/127\.0\.0\.1:\d+(?= and chat)/.exec(stack.said()) ?? [];
    expect(await (await fetch(page ?? '')).text()).toContain('<title>Posthorn demo</title>');
  } finally {
    if (listener !== undefined) await end(listener);
    await end(stack);
  }
  // Ctrl-C stops all of it: npm itself ends by the signal, so what counts is that nothing answers any more.
  expect(stack.said()).toContain('stopping …');
  for (const [address] of stack.said().matchAll(/http:\/\/127\.0\.0\.1:\d+/g))
    await expect(fetch(address)).rejects.toThrow('fetch failed');
});

it('runs the services', async () => {
  const lines = run.split('\n').map((line) => {
    // What was done before any test could run.
    if (/^npx pnpm@\S+ (?:install|build)\b/.test(line)) return '';
    const [, name] = /^export (\w+)=/.exec(line) ?? [];
    const value = name === undefined ? undefined : world.settings[name];
    if (value !== undefined) return `export ${name}='${value}'`;
    return line.startsWith('node services/') ? `PORT=0 ADMIN_PORT=0 ${line.split('#')[0]} &` : line;
  });
  const services = shell([...lines, 'wait'].join('\n'), { REDIS_PREFIX: world.redis.prefix });
  try {
    await eventually('both listen', () => (services.said().match(/"listening"/g) ?? []).length === 2);
    const ports = [...services.said().matchAll(/"adminPort":(\d+)/g)].map(([, port]) => port);
    for (const port of ports) {
      await eventually(
        'it is ready',
        async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200,
      );
    }
    expect(services.said()).toContain('the schema is up to date');
  } finally {
    await end(services);
  }
});

it('names only settings that docker-compose.yml takes', () => {
  const [docker] = blocks.filter(({ text }) => NEEDS_DOCKER.test(text));
  const compose = read('docker-compose.yml');
  for (const [, name] of docker?.text.matchAll(/(\w+)="/g) ?? []) expect(compose).toContain(`\${${name}:`);
  expect(docker?.text).toContain('docker compose up --build');
});

it('shows commands that there are', () => {
  const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
  const table = codeSpans(section(read('README.md'), '## What shows that it works'));
  const named = table.flatMap((code) => /^npm run (\w+)/.exec(code)?.[1] ?? []);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});
