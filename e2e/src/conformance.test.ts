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
import { WebSocket } from 'ws';
import { read } from './docs/repository';
import { World } from './fixture';

let world: World;
let server: ServerUnderTest;

beforeAll(async () => {
  world = await World.start();
  server = {
    api: world.sendApis[0]?.url ?? '',
    gateway: world.gateways[0]?.url.replace('http', 'ws') ?? '',
    token: (user) => world.token(user),
    stopGateway: async () => {
      const [gateway] = world.gateways;
      await world.addGateway({ PORT: new URL(gateway?.url ?? '').port }).catch(() => undefined);
    },
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
    const { stopGateway: _stop, ...without } = server;
    expect(await playAgainstServer(needy, without)).toEqual({ name: 'wrong', outcome: 'left out' });
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
      expect(await playAsServer(transcript, startClient)).toEqual({ name, outcome: 'passed' });
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

it('names each transcript in its README, and a section of PROTOCOL.md in each transcript', () => {
  const page = read('conformance/README.md');
  const protocol = read('PROTOCOL.md');
  for (const { name, says, section } of [...serverTranscripts(), ...clientTranscripts()]) {
    expect(page).toContain(`| \`${name}\` |`);
    expect(says).toMatch(/\.$/);
    for (const number of section.split(', '))
      expect(protocol).toMatch(new RegExp(`^#+ ${number.replace('.', '\\.')}\\.? `, 'm'));
  }
});
