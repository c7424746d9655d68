import { gzipSync } from 'node:zlib';
import { eventually } from '@posthorn/testing';
import { type App, startApp } from './client-app.fixture';
import { startReader } from './client-process.fixture';
import { type Addresses, ReadmeCode } from './client-readme.fixture';
import { World } from './fixture';

/** What the README says. */
const MAX_GZIPPED_BYTES = 12 * 1024;
const NOWHERE: Addresses = { gateway: 'wss://a.example', api: 'https://a.example', app: 'https://a.example' };

let code: ReadmeCode;

beforeAll(() => {
  code = new ReadmeCode();
});

afterAll(() => code.remove());

describe('libs/client/README.md', () => {
  it('has code that compiles', async () => {
    expect([...code.blocks.keys()]).toEqual(['chat.ts', 'page.ts', 'archive.ts']);
    await code.check();
  });

  it('tells how large the client is at most, bundled for a browser and gzipped', async () => {
    const all = await code.bundle('chat.ts', NOWHERE);
    const bytes = gzipSync(all, { level: 9 }).length;
    expect(bytes).toBeLessThan(MAX_GZIPPED_BYTES);
    // A bundle that lost half of it would be small, too.
    expect(bytes).toBeGreaterThan(MAX_GZIPPED_BYTES / 2);
  });

  it('§1: shows a chat that prints what it says', async () => {
    const world = await World.start();
    let app: App | undefined;
    try {
      const alice = world.user('alice');
      app = await startApp(() => world.token(alice));
      const gateway = world.gateways[0]?.url.replace('http', 'ws') ?? '';
      const addresses = { gateway, api: world.sendApis[0]?.url ?? '', app: app.url };
      const reader = await startReader(await code.script('chat.ts', addresses), code.folder);
      try {
        const bob = await world.connect('bob');
        const { seq, message } = await bob.nextOf('message');
        expect(message).toMatchObject({ from: alice, text: 'hello' });
        bob.send({ type: 'ack', seq });
        await eventually('delivered', () => reader.logs().includes('hello: delivered'));
        bob.send({ type: 'read', ids: [message.id] });
        await world.send('bob', alice, 'hi!');
        await eventually('all is printed', () => reader.logs().length === 5);
        expect(reader.logs().sort()).toEqual(
          ['bob: hi!', 'hello: delivered', 'hello: pending', 'hello: read', 'hello: sent'].sort(),
        );
      } finally {
        await reader.stop('SIGKILL', 0);
      }
    } finally {
      await app?.close();
      await world.stop();
    }
  });
});
