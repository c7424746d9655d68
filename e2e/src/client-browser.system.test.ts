import { findChromium } from '@posthorn/stack';
import { eventually, FaultProxy, hasTool } from '@posthorn/testing';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type App, startApp } from './client-app.fixture';
import { ReadmeCode } from './client-readme.fixture';
import { World } from './fixture';

const describeWithChromium = hasTool('chromium') ? describe : describe.skip;

const MESSAGES = 320;
/** So many are still on their way when a fault comes. */
const UNDER_WAY = 20;
/** Of the page itself, through its outbox. */
const ANSWERS = 60;

let world: World;
/** Between the page and the gateways, and between the page and send-api. */
let gateway: FaultProxy;
let api: FaultProxy;
let app: App;
let code: ReadmeCode;
let browser: Browser;
let context: BrowserContext;
let bob: string;

beforeAll(async () => {
  const binary = await findChromium();
  app = await startApp(() => world.token(bob));
  world = await World.start({
    env: { HEARTBEAT_MS: '1000', RATE_LIMIT_SENDS: '0', ALLOWED_ORIGINS: app.url },
    ownRedis: 'single',
  });
  bob = world.user('bob');
  gateway = await FaultProxy.open(world.gateways[0]?.url);
  api = await FaultProxy.open(world.sendApis[0]?.url);
  code = new ReadmeCode();
  const addresses = {
    gateway: `ws://127.0.0.1:${gateway.port}`,
    api: `http://127.0.0.1:${api.port}`,
    app: app.url,
  };
  // The page of the README; the test drives its client.
  const tail = `\nimport * as posthorn from '@posthorn/client';\nObject.assign(globalThis, { client, posthorn });`;
  app.script = await code.bundle('page.ts', addresses, tail);
  browser = await chromium.launch({
    executablePath: binary.command,
    env: { ...process.env, ...binary.env },
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
  context = await browser.newContext();
  // jest ends a test that hangs, however slow the page is.
  context.setDefaultTimeout(0);
});

afterAll(async () => {
  await browser?.close();
  code?.remove();
  await app?.close();
  await gateway?.close();
  await api?.close();
  await world?.stop();
});

/** What the page shows, from top to bottom. */
function shown(page: Page): Promise<string[]> {
  return page.$$eval('#messages li', (items) => items.map((item) => item.textContent ?? ''));
}

async function openPage(): Promise<Page> {
  const page = await context.newPage();
  await page.goto(app.url);
  return page;
}

/** Calls something of the page's client. */
async function ofClient<T>(page: Page, call: string): Promise<T> {
  await page.waitForFunction('globalThis.client !== undefined');
  return (await page.evaluate(`globalThis.client.${call}`)) as T;
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => String(n + 1));
}

describeWithChromium('the client in Chromium', () => {
  it('§1: shows each of 320 messages once, in order: its gateway killed, Redis wiped, reloaded, crashed, cut off', async () => {
    const alice = world.user('alice');
    let page = await openPage();
    let [sent, answered] = [0, 0];
    /** Sends on, and waits only until the page has most of it, so that the fault hits it in the middle. */
    const midway = async (count: number): Promise<void> => {
      while (sent < count) await world.send(alice, bob, String(++sent));
      await eventually('the page follows', async () => (await shown(page)).length >= sent - UNDER_WAY);
    };
    const answer = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) {
        await ofClient(page, `send({ to: '${alice}', text: '${++answered}' })`);
      }
    };
    const faults: (() => Promise<unknown> | void)[] = [
      () => page.reload(),
      () => {
        world.gateways[0]?.kill('SIGKILL');
        gateway.retarget(Number(new URL(world.gateways[1]?.url ?? '').port));
      },
      () => world.ownRedis?.wipe(),
      async () => {
        // The network is gone: nothing comes back, nothing new gets through; what the page sends has to wait.
        gateway.mode = 'blackhole';
        api.mode = 'drop-replies';
        await answer(10);
        await eventually('noticed', async () => {
          return (await ofClient<{ state: string }>(page, 'status')).state !== 'online';
        });
        gateway.mode = 'pass';
        api.mode = 'pass';
        api.cut();
      },
      async () => {
        await context.setOffline(true);
        gateway.cut();
        await context.setOffline(false);
      },
      async () => {
        // The renderer dies in the middle of whatever it is doing.
        await page.goto('chrome://crash').catch(() => undefined);
        page = await openPage();
      },
      () => page.reload(),
    ];
    const step = Math.floor(MESSAGES / (faults.length + 1));
    for (const fault of faults) {
      await answer(5);
      await midway(sent + step);
      await fault();
    }
    await midway(MESSAGES);
    await answer(ANSWERS - answered);
    await eventually('all are shown', async () => (await shown(page)).length >= MESSAGES);
    expect(await shown(page)).toEqual(numbers(MESSAGES));

    // And what the page sent through it all: each once, in order.
    const inboxOf = async (): Promise<string[]> => {
      const path = '/v1/inbox?limit=500';
      const { body } = await world.ask<{ items: { message: { text: string } }[] }>(alice, path);
      return body.items.map(({ message }) => message.text);
    };
    await eventually('all are sent', async () => (await inboxOf()).length >= ANSWERS);
    expect(await inboxOf()).toEqual(numbers(ANSWERS));
    await page.close();
  });

  it('§5.1: of several tabs one receives; another takes its place when it is closed, and can send before', async () => {
    const carol = world.user('carol');
    const first = await openPage();
    await eventually('online', async () => (await stateOf(first)) === 'online');
    const second = await openPage();
    await eventually('waits', async () => (await stateOf(second)) === 'waiting');
    await ofClient(second, `send({ to: '${carol}', text: 'from the second' })`);
    const waiting = await world.connect(carol, {}, 1);
    expect(await waiting.nextOf('message')).toMatchObject({ message: { text: 'from the second' } });
    const before = (await shown(first)).length;
    await first.close();
    await eventually('takes its place', async () => (await stateOf(second)) === 'online');
    await world.send(carol, bob, 'to the second');
    await eventually('shown', async () => (await shown(second)).length === before + 1);
    expect((await shown(second)).at(-1)).toBe('to the second');
    await second.close();
  });
});

describeWithChromium('stores of the browser', () => {
  it.each(['localStorageStore', 'indexedDbStore'])(
    '%s keeps what it is given, over a reload',
    async (store) => {
      const page = await openPage();
      const run = async (statements: string): Promise<unknown> => {
        await page.waitForFunction('globalThis.posthorn !== undefined');
        return await page.evaluate(
          `(async () => { const store = posthorn.${store}('test'); const other = posthorn.${store}('test2'); ${statements} })()`,
        );
      };
      await run(`
      await store.set('outbox/2', { text: '\u{1f4ef}' });
      await store.set('outbox/1', [1]);
      await store.set('outbox/3', 3);
      await store.delete('outbox/3');
      await store.set('cursor', { seq: 1 });
      await store.set('cursor', { seq: 2 });
      await other.set('outbox/9', 9);`);
      await page.reload();
      expect(
        await run(`return [await store.keys('outbox/'), await store.get('outbox/2'), await store.get('cursor'),
        await store.get('outbox/3') ?? 'nothing', await other.keys('')];`),
      ).toEqual([['outbox/1', 'outbox/2'], { text: '\u{1f4ef}' }, { seq: 2 }, 'nothing', ['outbox/9']]);
      await page.close();
    },
  );
});

async function stateOf(page: Page): Promise<string> {
  return (await ofClient<{ state: string }>(page, 'status')).state;
}
