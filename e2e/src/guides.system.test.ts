import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InboxItem } from '@posthorn/protocol';
import { eventually } from '@posthorn/testing';
import { type Block, blocksOf } from './docs/markdown';
import { filesBelow, read, repoFile } from './docs/repository';
import { World } from './fixture';

let world: World;
/** Where the scripts of the guides are, in place of `demo`: here, too, the client is at hand. */
let folder: string;

beforeAll(async () => {
  world = await World.start({ env: { ADMIN_TOKEN: 'an-admin-token-of-the-guides-32-bytes' } });
  mkdirSync(repoFile('e2e/dist'), { recursive: true });
  folder = mkdtempSync(join(repoFile('e2e/dist'), 'guides-'));
});

afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

/** The blocks of a guide; each is taken by what it begins with, and all of them have to be. */
class Guide {
  readonly #blocks: Block[];

  constructor(name: string) {
    this.#blocks = blocksOf(read(`docs/guides/${name}`));
  }

  take(language: string): string {
    const block = this.#blocks.shift();
    expect(block?.language).toBe(language);
    return block?.text ?? '';
  }

  /** Writes a script under the name in its first line. */
  script(): void {
    const text = this.take('js');
    const name = /^\/\/ (\S+\.mjs)\n/.exec(text)?.[1] ?? '';
    expect(name).not.toBe('');
    writeFileSync(join(folder, name), text);
  }

  end(): void {
    expect(this.#blocks).toEqual([]);
  }
}

/** A shell block as it stands, but for where the services and the scripts of this test are. */
function start(block: string, env: Record<string, string> = {}): ChildProcess & { said: () => string } {
  const command = block
    .replaceAll('http://127.0.0.1:3000', world.sendApis[0]?.url ?? '')
    .replaceAll('ws://127.0.0.1:3001', world.addresses['POSTHORN_GATEWAY'] ?? '')
    .replaceAll('demo/', `${folder}/`)
    .replaceAll('npx wscat', repoFile('e2e/node_modules/.bin/wscat'));
  const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', command], {
    cwd: repoFile('.'),
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...world.addresses, ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return Object.assign(child, { said: () => said });
}

async function run(block: string, env: Record<string, string> = {}): Promise<string> {
  // Its input stays open: wscat leaves when that ends.
  const child = start(block, env);
  await once(child, 'close');
  expect({ block, code: child.exitCode, said: child.said() }).toMatchObject({ code: 0 });
  return child.said();
}

it('a chat in fifty lines', async () => {
  const guide = new Guide('chat-in-fifty-lines.md');
  guide.script();
  expect(
    read('docs/guides/chat-in-fifty-lines.md').split('```js\n')[1]?.split('```')[0]?.split('\n').length,
  ).toBeLessThan(50);
  const [forAlice, forBob] = [guide.take('sh'), guide.take('sh')];
  guide.end();
  const alice = start(forAlice);
  await eventually('alice is online', () => alice.said().includes('· online'));
  alice.stdin?.write('are you there?\n');
  await eventually('it is sent', () => alice.said().includes('✓ are you there?'));
  const bob = start(forBob);
  await eventually('bob has it', () => bob.said().includes('alice: are you there?'));
  await eventually('alice knows', () => alice.said().includes('✓✓ read are you there?'));
  bob.stdin?.write('yes\n');
  await eventually('alice has the answer', () => alice.said().includes('bob: yes'));
  for (const each of [alice, bob]) {
    each.stdin?.end();
    await once(each, 'close');
  }
  rmSync(repoFile('.posthorn/chat-alice'), { recursive: true, force: true });
  rmSync(repoFile('.posthorn/chat-bob'), { recursive: true, force: true });
});

it('sending from a backend', async () => {
  const guide = new Guide('sending-from-a-backend.md');
  guide.script();
  const said = await run(guide.take('sh'));
  guide.end();
  const [, first, again] = /^sent (\S+), and again: (\S+)$/m.exec(said) ?? [];
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(again).toBe(first);
  expect(said).toMatch(/^1 {2}\S+ {2}shop: Order 4711 is on its way\. {2}\{"order":4711\}$/m);
});

it('with curl and wscat only', async () => {
  const guide = new Guide('curl-and-wscat.md');
  // Later blocks use what this one exports.
  const tokens = guide.take('sh');
  const later = (): Promise<string> => run(`${tokens}\n${guide.take('sh')}`);
  expect(JSON.parse(await later())).toMatchObject({ from: 'alice', to: ['dave'], text: 'hello' });
  expect((await later()).trim()).toBe('200');
  const heard = await later();
  expect(heard).toMatch(/"type":"welcome"[^]*"type":"message","seq":1[^]*"type":"caughtUp","seq":1/);
  expect(await later()).toContain('{"type":"ok","ref":"mine"}');
  const again = await later();
  expect(again).toContain('"after":1,"lastSeq":1');
  expect(again).toContain('{"type":"pong"}');
  const proof = await later();
  expect(proof).toMatch(/"items":\[\{"user":"dave","deliveredAt":"/);
  expect(proof).toContain('"state":"acknowledged"');
  expect(await later()).toMatch(/"invalid_message"[^]*"\/to"/);
  guide.end();
  const { body } = await world.ask<{ items: InboxItem[] }>('dave', '/v1/inbox');
  expect(body.items).toHaveLength(1);
});

it('from zero to production', async () => {
  const guide = new Guide('from-zero-to-production.md');
  const doctor = start(guide.take('sh'), { ...world.settings });
  await once(doctor, 'close');
  // The database of the tests does not write to its disk, and the doctor says so.
  expect(doctor.said()).toMatch(/^ok +postgres schema +current$/m);
  expect(doctor.said()).toMatch(/^ok +send-api +answers/m);
  expect(await run(guide.take('sh'))).toMatch(/^missing +0 accepted/m);
  guide.end();
});

it('covers every guide that has code', () => {
  const withCode = filesBelow('docs/guides').filter((path) => blocksOf(read(path)).length > 0);
  expect(withCode.map((path) => path.slice('docs/guides/'.length)).sort()).toEqual([
    'chat-in-fifty-lines.md',
    'curl-and-wscat.md',
    'from-zero-to-production.md',
    'sending-from-a-backend.md',
  ]);
});
