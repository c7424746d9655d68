import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ManagedProcess } from '@posthorn/stack';
import { eventually, FaultProxy } from '@posthorn/testing';
import { type App, startApp } from './client-app.fixture';
import { startReader } from './client-process.fixture';
import { ReadmeCode } from './client-readme.fixture';
import { World } from './fixture';

const MESSAGES = 260;
/** So many are still on their way when a fault comes. */
const UNDER_WAY = 10;

let world: World;
let gateway: FaultProxy;
let app: App;
let code: ReadmeCode;
let bob: string;

beforeAll(async () => {
  world = await World.start({
    env: { HEARTBEAT_MS: '1000', RATE_LIMIT_SENDS: '0' },
    ownRedis: 'single',
  });
  bob = world.user('bob');
  gateway = await FaultProxy.open(world.gateways[0]?.url);
  app = await startApp(() => world.token(bob));
  code = new ReadmeCode();
});

afterAll(async () => {
  code.remove();
  await app.close();
  await gateway.close();
  await world.stop();
});

/** What the archive has, line by line. */
function archived(): string[] {
  const path = join(code.folder, 'archive.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { text: string }).text);
}

describe('the client in Node, while everything around it fails', () => {
  it('§1: handles each message once, in order: killed with -9, cut off, half-open, its gateway killed or stopped, Redis wiped', async () => {
    const script = await code.script('archive.ts', {
      gateway: `ws://127.0.0.1:${gateway.port}`,
      api: world.sendApis[0]?.url ?? '',
      app: app.url,
    });
    const start = (): Promise<ManagedProcess> => startReader(script, code.folder);
    let reader = await start();
    let sent = 0;
    const sendTo = async (count: number): Promise<void> => {
      while (sent < count) await world.send('alice', bob, String(++sent));
    };
    /** Sends on while the client is at it, so that the fault hits it in the middle. */
    const midway = async (count: number): Promise<void> => {
      await sendTo(count);
      await eventually('some have come', () => archived().length >= count - UNDER_WAY);
    };
    const restart = async (): Promise<void> => {
      await reader.stop('SIGKILL', 0);
      reader = await start();
    };
    const faults: (() => Promise<void> | undefined | void)[] = [
      restart,
      () => void gateway.cut(),
      async () => {
        gateway.mode = 'blackhole';
        await sendTo(sent + 20);
        gateway.mode = 'pass';
      },
      restart,
      async () => {
        world.gateways[0]?.kill('SIGKILL');
        gateway.retarget(Number(new URL(world.gateways[1]?.url ?? '').port));
      },
      () => world.ownRedis?.wipe(),
      restart,
      async () => {
        const next = await world.addGateway();
        gateway.retarget(Number(new URL(next.url).port));
        await world.gateways[1]?.stop();
      },
      restart,
      () => {
        gateway.mode = { cutAfterBytes: 4_000 };
      },
      restart,
    ];
    for (const fault of faults) {
      await midway(sent + Math.floor(MESSAGES / (faults.length + 2)));
      await fault();
    }
    gateway.mode = 'pass';
    await sendTo(MESSAGES);
    await eventually('all are there', () => archived().length >= MESSAGES);
    await reader.stop('SIGKILL', 0);
    expect(archived()).toEqual(Array.from({ length: MESSAGES }, (_, n) => String(n + 1)));
  });
});
