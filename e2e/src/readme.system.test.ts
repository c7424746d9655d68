import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { eventually } from '@posthorn/testing';
import { blocksOf, codeSpans, section, tableRows } from './docs/markdown';
import { filesBelow, read, repoFile } from './docs/repository';
import { World } from './fixture';

const blocks = blocksOf(read('README.md'));
const [start, script, receive, send] = blocks.map(({ text }) => text);

let world: World;
/** The script of the README is here instead of `demo`: the client is at hand here, too. */
let folder: string;

beforeAll(async () => {
  world = await World.start();
  mkdirSync(repoFile('e2e/dist'), { recursive: true });
  folder = mkdtempSync(join(repoFile('e2e/dist'), 'readme-'));
});

afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
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
  expect(blocks.map(({ language }) => language)).toEqual(['sh', 'js', 'sh', 'sh']);
  expect(start).toBe('npm start\n');
});

it('npm start; receive with the client what curl sends', async () => {
  const stack = shell(start ?? '');
  let receiver: Shell | undefined;
  try {
    await eventually('it runs', () => stack.said().includes('It runs. Open http'));
    const { POSTHORN_API = '', POSTHORN_GATEWAY = '' } = parseEnv(
      readFileSync(repoFile('.posthorn/dev.env'), 'utf8'),
    );
    // The usual ports, unless something else has them.
    const pointed = (text = '') =>
      text
        .replaceAll('http://127.0.0.1:3000', POSTHORN_API)
        .replaceAll('ws://127.0.0.1:3001', POSTHORN_GATEWAY);
    const [path = ''] = /demo\/\S+\.mjs/.exec(receive ?? '') ?? [];
    expect(read('README.md')).toContain(`Save this as \`${path}\``);
    writeFileSync(join(folder, 'bob.mjs'), pointed(script));
    receiver = shell((receive ?? '').replace(path, join(folder, 'bob.mjs')));
    await eventually('it sends', () => receiver?.said().includes('I am here: sent'));
    const before = receiver.said().length;
    const sender = shell(pointed(send));
    await once(sender, 'close');
    expect({ code: sender.exitCode, said: sender.said() }).toMatchObject({ code: 0 });
    await eventually('it has come', () => /^alice: hello$/m.test(receiver?.said().slice(before) ?? ''));
    const [page] = /http:\/\/127\.0\.0\.1:\d+(?= and chat)/.exec(stack.said()) ?? [];
    expect(await (await fetch(page ?? '')).text()).toContain('<title>Posthorn demo</title>');
  } finally {
    if (receiver !== undefined) await end(receiver);
    await end(stack);
  }
  // Ctrl-C stops all of it: npm itself ends by the signal, so what counts is that nothing answers any more.
  expect(stack.said()).toContain('stopping …');
  for (const [address] of stack.said().matchAll(/http:\/\/127\.0\.0\.1:\d+/g))
    await expect(fetch(address)).rejects.toThrow('fetch failed');
});

it('DEPLOY: runs the services by hand', async () => {
  const [run, ...others] = blocksOf(section(read('docs/DEPLOY.md'), '## By hand'));
  expect(others).toEqual([]);
  const lines = (run?.text ?? '').split('\n').map((line) => {
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

/** They need Docker, which a machine for tests may not have: only its file is looked at. */
it('DEPLOY: names only settings that docker-compose.yml takes', () => {
  const [up] = blocksOf(section(read('docs/DEPLOY.md'), '## Docker Compose'));
  const compose = read('docker-compose.yml');
  const names = [...(up?.text ?? '').matchAll(/(\w+)="/g)].map(([, name]) => name);
  expect(names).toHaveLength(2);
  for (const name of names) expect(compose).toContain(`\${${name}:`);
  expect(up?.text).toContain('docker compose up --build');
});

it('PROOF: shows commands that there are', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
  const proof = read('docs/PROOF.md');
  const commands = tableRows(proof, '# ')
    .filter(([claim]) => claim !== 'claim')
    .map(([, command = '']) => codeSpans(command).join(' '));
  expect(commands.length).toBeGreaterThan(25);
  const tests = ['libs', 'services', 'e2e'].flatMap(filesBelow).filter((path) => path.endsWith('.test.ts'));
  for (const command of commands) {
    const [, name, paths] = /^npm (?:run (\w+)|test -- (.+))/.exec(command) ?? [];
    if (name !== undefined) expect(Object.keys(scripts)).toContain(name);
    else expect(paths).toBeDefined();
    for (const path of paths?.split(' ') ?? [])
      expect({ path, isThere: tests.some((test) => test.startsWith(path)) }).toEqual({ path, isThere: true });
  }
});
