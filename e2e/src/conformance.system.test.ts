import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, memoryStore } from '@posthorn/client';
import {
  type ClientTranscript,
  clientTranscripts,
  playAgainstServer,
  playAsServer,
  type ServerTranscript,
  type ServerUnderTest,
  serverTranscripts,
} from '@posthorn/conformance';
import { HANG_MS } from '@posthorn/testing';
import { WebSocket } from 'ws';
import { read, repoFile } from './docs/repository';
import { World } from './fixture';

let world: World;
let server: ServerUnderTest;

beforeAll(async () => {
  world = await World.start();
  server = {
    api: world.sendApis[0]?.url ?? '',
    gateway: world.gateways[0]?.url.replace('http', 'ws') ?? '',
    token: (user) => world.token(user),
    withinMs: HANG_MS,
  };
});

afterAll(async () => {
  await world.stop();
});

/** One that stops in good order, and one that takes its port. */
async function stopGateway(): Promise<void> {
  const [gateway] = world.gateways.splice(0, 1);
  if (gateway === undefined) throw new Error('there is no gateway');
  const { port } = new URL(gateway.url);
  gateway.kill('SIGTERM');
  await gateway.exited;
  world.gateways.unshift(await world.addGateway({ PORT: port }));
  world.gateways.pop();
}

describe('our server', () => {
  it.each(serverTranscripts().map((transcript) => [transcript.name, transcript] as const))(
    '%s',
    async (name, transcript) => {
      const result = await playAgainstServer(transcript, { ...server, stopGateway });
      expect(result).toEqual({ name, outcome: 'passed' });
    },
  );

  it('is told of where it differs', async () => {
    const wrong: ServerTranscript = {
      name: 'wrong',
      section: '5.2',
      says: 'something that is not so',
      users: ['bob'],
      steps: [
        { do: 'connect', socket: 'phone', as: 'bob' },
        { do: 'receive', socket: 'phone', frame: { type: 'welcome', lastSeq: 1 } },
      ],
    };
    expect(await playAgainstServer(wrong, server)).toEqual({
      name: 'wrong',
      outcome: 'failed',
      fault: 'step 2 (receive): /lastSeq must be 1, and is 0',
    });
    const needy: ServerTranscript = { ...wrong, needs: ['stop-gateway'] };
    expect(await playAgainstServer(needy, server)).toEqual({ name: 'wrong', outcome: 'left out' });
  });
});

/** Our client, and what its application was handed. */
async function startClient(gateway: string) {
  const handled: string[] = [];
  const client = connect({
    url: gateway,
    api: 'http://127.0.0.1:1',
    device: 'phone',
    store: memoryStore(),
    token: () => world.token('alice'),
    WebSocket,
  });
  client.on('message', ({ message }) => handled.push(message.text ?? ''));
  client.on('error', () => undefined);
  return { handled: () => handled, stop: () => client.close() };
}

describe('our client', () => {
  it.each(clientTranscripts().map((transcript) => [transcript.name, transcript] as const))(
    '%s',
    async (name, transcript) => {
      const bounds = { answerMs: HANG_MS, handledMs: HANG_MS };
      expect(await playAsServer(transcript, startClient, bounds)).toEqual({ name, outcome: 'passed' });
    },
  );

  it('is told of where it differs', async () => {
    const [drain] = clientTranscripts().filter(({ name }) => name === 'drain');
    if (drain === undefined) throw new Error('there is no transcript of that name');
    const wrong: ClientTranscript = { ...drain, handled: ['two', 'one'] };
    expect(await playAsServer(wrong, startClient)).toMatchObject({
      outcome: 'failed',
      fault: 'the application was handed ["one","two"] instead of ["two","one"]',
    });
  });
});

/** The command that others run, to its end. */
async function pnpmConformance(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [repoFile('conformance/dist/conformance.js'), ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, said };
}

/** A client in another process, as its author would hand it in; `acknowledges` what it gets, or does not. */
function clientProgram(acknowledges: boolean): string {
  return `
const { WebSocket } = require('ws');
const socket = new WebSocket(process.env.POSTHORN_GATEWAY + '/v1/connect?device=phone', ['posthorn.v1']);
socket.on('message', (data) => {
  const { type, seq, message } = JSON.parse(data);
  if (type !== 'message') return;
  console.log(message.text);
  if (${acknowledges}) socket.send(JSON.stringify({ type: 'ack', seq }));
});`;
}

describe('pnpm conformance', () => {
  it('plays against a server', async () => {
    const args = ['server', '--api', server.api, '--gateway', server.gateway];
    const env = { AUTH_JWT_SECRET: world.settings['AUTH_JWT_SECRET'] ?? '' };
    const all = await pnpmConformance(args, env);
    expect(all).toMatchObject({ code: 0, said: expect.stringMatching(/^passed +takeover$/m) });
    // It cannot stop somebody else's gateway.
    expect(all.said).toMatch(/^left out {2}drain-at-shutdown$/m);
    expect(all.said).toMatch(/^14 passed, 0 failed, 1 left out$/m);
    const wrongSecret = { AUTH_JWT_SECRET: 'another-secret-of-the-tests-of-32-bytes' };
    expect(await pnpmConformance([...args, '--only', 'connect'], wrongSecret)).toMatchObject({ code: 1 });
    expect(await pnpmConformance(args)).toMatchObject({ code: 78 });
  });

  it.each([
    [true, 0, 'passed    drain'],
    [false, 1, 'failed    drain: step 6 (the client acknowledges): nothing was acknowledged through 2'],
  ])('plays as the server to a client that acknowledges: %s', async (acknowledges, code, words) => {
    mkdirSync(repoFile('e2e/dist'), { recursive: true });
    const folder = mkdtempSync(join(repoFile('e2e/dist'), 'conformance-'));
    try {
      const file = join(folder, 'client.cjs');
      writeFileSync(file, clientProgram(acknowledges));
      const command = `exec "${process.execPath}" "${file}"`;
      const result = await pnpmConformance(['client', '--only', 'drain', '--command', command]);
      expect(result).toMatchObject({ code, said: expect.stringContaining(words) });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says how it is used', async () => {
    for (const args of [[], ['fly'], ['client'], ['server', '--no-such']]) {
      expect(await pnpmConformance(args)).toMatchObject({
        code: 64,
        said: expect.stringContaining('usage:'),
      });
    }
  });
});

it('names each transcript in its README, and a section of PROTOCOL.md in each transcript', () => {
  const page = read('conformance/README.md');
  const protocol = read('PROTOCOL.md');
  for (const { name, says, section } of [...serverTranscripts(), ...clientTranscripts()]) {
    expect(page).toContain(`| \`${name}\` | ${section} | ${says} |`);
    expect(says).toMatch(/\.$/);
    for (const number of section.split(', '))
      expect(protocol).toMatch(new RegExp(`^#+ ${number.replace('.', '\\.')}\\.? `, 'm'));
  }
});
