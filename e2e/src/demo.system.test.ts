import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DemoServer, demoOrigins } from '@posthorn/demo-server';
import { findChromium, freePort, mintToken, type Stack, startStack, startStackDemo } from '@posthorn/stack';
import { eventually, FaultProxy, hasTool } from '@posthorn/testing';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { repoFile } from './docs/repository';

const itWithChromium = hasTool('chromium') ? it : it.skip;

const SECRET = 'a-secret-for-the-demo-of-the-tests';
/** `UPDATE_SCREENSHOTS=1` puts what is seen into the docs. */
const isUpdate = process.env['UPDATE_SCREENSHOTS'] === '1';

let folder: string;
let stack: Stack;
let demo: DemoServer;
/** Between the page and send-api, and between the page and each gateway. */
let proxies: FaultProxy[];
let browser: Browser;
let context: BrowserContext;
let page: Page;
let faults: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-demo-'));
  const port = await freePort();
  stack = await startStack({
    dir: folder,
    sendApis: 1,
    env: {
      AUTH_JWT_SECRET: SECRET,
      ALLOWED_ORIGINS: demoOrigins(port).join(','),
      DRAIN_MS: '500',
      HEARTBEAT_MS: '1000',
      RATE_LIMIT_SENDS: '0',
    },
  });
  const [api, ...gateways] = (proxies = await Promise.all(
    [...stack.sendApis, ...stack.wsGateways].map(({ url }) => FaultProxy.open(url)),
  ));
  const seen: Stack = {
    ...stack,
    sendApis: stack.sendApis.map((service) => ({ ...service, url: api?.through(service.url) ?? '' })),
    wsGateways: stack.wsGateways.map((service, index) => {
      const proxy = gateways[index];
      return {
        ...service,
        url: proxy?.through(service.url) ?? '',
        wsUrl: proxy?.through(service.wsUrl ?? '') ?? '',
      };
    }),
    killAndRestart: async ({ adminUrl }) => {
      const service = stack.wsGateways.find((each) => each.adminUrl === adminUrl);
      if (service !== undefined) await stack.killAndRestart(service);
    },
  };
  demo = await startStackDemo({ port, stack: seen, token: (user) => mintToken({ user, secret: SECRET }) });
  const binary = await findChromium();
  browser = await chromium.launch({
    executablePath: binary.command,
    env: { ...process.env, ...binary.env },
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
});

afterAll(async () => {
  await browser?.close();
  await demo?.stop();
  for (const proxy of proxies ?? []) await proxy.close();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1000, height: 720 }, deviceScaleFactor: 1 });
  page = await context.newPage();
  // jest ends a test that hangs, however slow the page is.
  page.setDefaultTimeout(0);
  faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(demo.url);
  await both('online');
});

afterEach(async () => {
  await context.close();
});

async function both(state: string): Promise<void> {
  for (const name of ['alice', 'bob']) await page.waitForSelector(phone(name, `[data-state=${state}]`));
}

function phone(name: string, more = ''): string {
  return `[data-person=${name}]${more}`;
}

async function write(name: string, text: string): Promise<void> {
  await page.fill(`#text-${name}`, text);
  await page.click(phone(name, ' .composer button'));
}

/** How many messages somebody has, drawn or not. */
async function countOf(name: string): Promise<number> {
  return await page.evaluate(
    ([prefix]) => Object.keys(localStorage).filter((key) => key.startsWith(prefix)).length,
    [`posthorn-demo:${name}:`] as const,
  );
}

/** The texts that somebody has from the other, from top to bottom. */
function heard(name: string): Promise<string[]> {
  return page.$$eval(phone(name, ' .other .text'), (items) => items.map((item) => item.textContent ?? ''));
}

async function ticks(name: string): Promise<(string | null)[]> {
  return await page.$$eval(phone(name, ' .own'), (items) =>
    items.map((item) => item.getAttribute('data-state')),
  );
}

async function lastTick(name: string, state: string): Promise<void> {
  await eventually(
    `the last message of ${name} is ${state}`,
    async () => (await ticks(name)).at(-1) === state,
  );
}

async function shoot(name: string): Promise<void> {
  if (!isUpdate) return;
  mkdirSync(repoFile('docs/images'), { recursive: true });
  await page.screenshot({ path: repoFile(`docs/images/${name}.png`) });
}

itWithChromium('two people chat; one goes offline and comes back; the ticks are right', async () => {
  await write('alice', 'Are you there?');
  await lastTick('alice', 'read');
  expect(await heard('bob')).toEqual(['Are you there?']);
  await write('bob', 'Yes. Boarding now, I lose the network in a minute.');
  await lastTick('bob', 'read');

  await page.click(phone('bob', ' .power'));
  await page.waitForSelector(phone('bob', '[data-state=closed]'));
  await write('alice', 'The keys are with the neighbour.');
  await write('alice', 'Second floor, left.');
  await lastTick('alice', 'sent');
  expect(await heard('bob')).toEqual(['Are you there?']);
  await shoot('demo-offline');

  await page.click(phone('bob', ' .power'));
  await lastTick('alice', 'read');
  expect(await heard('bob')).toEqual([
    'Are you there?',
    'The keys are with the neighbour.',
    'Second floor, left.',
  ]);
  await write('bob', 'Landed. Thanks!');
  await lastTick('bob', 'read');
  await shoot('demo-back');

  // A message that is not looked at is delivered, and not read.
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await write('alice', 'Call me.');
  await lastTick('alice', 'delivered');
  await page.evaluate(() => {
    Reflect.deleteProperty(document, 'visibilityState');
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await lastTick('alice', 'read');
  expect(faults).toEqual([]);
});

itWithChromium(
  '§1: shows each of 300 messages once, in order: gateways killed, Redis wiped, reloaded, cut off',
  async () => {
    /** Each hundred meets its faults while it is on the way. */
    const hundreds: (() => Promise<unknown>)[][] = [
      [
        () => page.click('button:has-text("Kill bob’s gateway")'),
        () => page.click('button:has-text("Wipe Redis")'),
        () => page.reload(),
      ],
      [
        () => page.click('button:has-text("Kill alice’s gateway")'),
        async () => {
          for (const proxy of proxies) proxy.mode = 'blackhole';
          await page.waitForSelector(phone('bob', ':not([data-state=online])'));
          for (const proxy of proxies) {
            proxy.mode = 'pass';
            proxy.cut();
          }
        },
      ],
      [
        async () => {
          await context.setOffline(true);
          for (const proxy of proxies) proxy.cut();
          await context.setOffline(false);
        },
        () => page.reload(),
        async () => {
          await page.click(phone('bob', ' .power'));
          await page.click('button:has-text("Wipe Redis")');
          await page.click(phone('bob', ' .power'));
        },
      ],
    ];
    for (const [index, attacks] of hundreds.entries()) {
      const before = index * 100;
      await page.click('button:has-text("alice writes 100"):not([disabled])');
      await eventually('all are in the outbox', async () => (await countOf('alice')) === before + 100);
      for (const [turn, attack] of attacks.entries()) {
        const enough = before + (100 * turn) / attacks.length;
        await eventually(`bob has ${enough}`, async () => (await countOf('bob')) >= enough);
        await attack();
      }
    }
    const all = hundreds.length * 100;
    const account = `[data-from=alice]:has-text("${all} accepted"):has-text("${all} arrived"):has-text("0 on the way")`;
    await page.waitForSelector(account);
    await page.waitForSelector('[data-from=alice]:has-text("0 twice"):has-text("0 in the outbox")');
    await shoot('demo-account');
    for (const name of ['alice', 'bob']) await page.click(phone(name, ' button:has-text("before")'));
    const expected = Array.from({ length: all }, (_, index) => `message ${(index % 100) + 1} of 100`);
    expect(await heard('bob')).toEqual(expected);
    expect(await ticks('alice')).toHaveLength(all);
    await eventually('all are read', async () => (await ticks('alice')).every((state) => state === 'read'));
  },
);

itWithChromium('works on a phone, and for who uses the keyboard', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(390);
  await page.focus('#text-alice');
  await page.keyboard.type('typed');
  await page.keyboard.press('Enter');
  await lastTick('alice', 'read');
  // Each field and button has a name.
  const nameless = await page.$$eval(
    'button, input',
    (items) =>
      items.filter(
        (item) => (item.textContent ?? '') === '' && (item as HTMLInputElement).labels?.length !== 1,
      ).length,
  );
  expect(nameless).toBe(0);
  await shoot('demo-phone');
});

itWithChromium('gives nothing to other pages', async () => {
  const ask = (path: string, headers: Record<string, string>, method = 'GET') =>
    fetch(`${demo.url}${path}`, { method, headers }).then(({ status }) => status);
  expect(await ask('/tokens/alice', {})).toBe(403);
  expect(await ask('/tokens/alice', { 'x-posthorn-demo': '1' })).toBe(200);
  expect(await ask('/tokens/root', { 'x-posthorn-demo': '1' })).toBe(404);
  expect(await ask('/redis/wipe', {}, 'POST')).toBe(403);
  expect(await ask('/../package.json', {})).toBe(403);
});
