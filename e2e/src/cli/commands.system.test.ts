import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InboxItem, Message, ReceiptItem } from '@posthorn/protocol';
import { eventually } from '@posthorn/testing';
import { World } from '../fixture';
import { type CliOptions, type CliOutcome, callCli, linesOf, runCli, startCli } from './cli.fixture';

let world: World;
let folder: string;

beforeAll(async () => {
  world = await World.start();
  folder = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
});

afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

/** A command on this world's services. */
function posthorn(args: readonly string[], options: CliOptions = {}): Promise<CliOutcome> {
  return callCli(args, { ...options, env: { ...world.addresses, ...options.env } });
}

/** The same as a process of its own, as users start it. */
function posthornProcess(args: readonly string[], options: CliOptions = {}): Promise<CliOutcome> {
  return runCli(args, { ...options, env: { ...world.addresses, ...options.env } });
}

/** An acknowledgement is committed after the command that sent it has ended. */
async function isDelivered(sender: string, id: string): Promise<void> {
  await eventually('delivered', async () => (await world.receipts(sender, id))[0]?.deliveredAt !== null);
}

it('sends, shows the inbox, receipts, delivery and presence; listens and acknowledges', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const sent = await posthornProcess(['send', bob, 'hello', '--as', alice]);
  expect(sent).toMatchObject({ code: 0, err: '' });
  const id = sent.out.trim();

  const inbox = await posthorn(['inbox', '--as', bob]);
  expect(inbox.out).toMatch(new RegExp(`^1  \\S+Z  ${alice}: hello\n$`));
  const before = await posthorn(['delivery', id, '--as', alice]);
  expect(before.out).toContain(`${bob}  waiting: No device of this user has connected yet`);

  const heard = await posthornProcess(['listen', '--as', bob, '--until-caught-up', '--json']);
  expect(heard.code).toBe(0);
  expect(linesOf<InboxItem>(heard.out)).toMatchObject([
    { seq: 1, message: { id, from: alice, text: 'hello' } },
  ]);
  await isDelivered(alice, id);
  const receipts = await posthorn(['receipts', id, '--as', alice, '--json']);
  const [{ items } = { items: [] }] = linesOf<{ items: ReceiptItem[] }>(receipts.out);
  expect(items).toEqual([{ user: bob, deliveredAt: expect.any(String), readAt: null }]);
  await eventually('bob is offline', async () => !(await world.isOnline(bob)));
  const presence = await posthorn(['presence', bob, alice, '--as', alice]);
  expect(presence.out).toMatch(new RegExp(`^${bob} +no +\\S+Z$`, 'm'));
  expect(presence.out).toMatch(new RegExp(`^${alice} +no +never$`, 'm'));

  // The cursor has moved: there is nothing to hear again.
  const again = await posthorn(['listen', '--as', bob, '--until-caught-up', '--json']);
  expect(again).toMatchObject({ code: 0, out: '' });
});

it('says what an inbox does not have any more, beside what it prints', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  for (const text of ['1', '2', '3', '4']) await world.send(alice, bob, text);
  // Routing may come after the 201.
  const list = `${world.redis.prefix}{${bob}}:offline`;
  await eventually('all are routed', async () => (await world.redis.client.llen(list)) === 4);
  await world.database.query('DELETE FROM inbox_entry WHERE user_id = $1 AND seq <> 3', [bob]);
  await world.redis.client.del(list);
  const inbox = await posthorn(['inbox', '--as', bob]);
  expect(inbox.out).toMatch(new RegExp(`^3  \\S+Z  ${alice}: 3\n$`));
  expect(inbox.err).toBe('1 to 2 are no longer kept\n4 is no longer kept\n');
  const short = await posthorn(['inbox', '--as', bob, '--limit', '1']);
  expect(short.out).toMatch(/: 3\n$/);
  const heard = await posthorn(['listen', '--as', bob, '--until-caught-up', '--json']);
  expect(linesOf<InboxItem>(heard.out)).toMatchObject([{ seq: 3, message: { text: '3' } }]);
  expect(heard.err).toContain('1 to 2 are no longer kept\n');

  // Messages that were dropped before their entries: a page of what is gone alone, and one that is there behind it.
  const carol = world.user('carol');
  const gone = [await world.send(alice, carol, 'a'), await world.send(alice, carol, 'b')];
  await world.send(alice, carol, 'c');
  await world.database.query('DELETE FROM message WHERE id = ANY ($1)', [gone.map(({ id }) => id)]);
  expect((await posthorn(['inbox', '--as', carol, '--limit', '1'])).out).toMatch(/^3 .*: c\n$/);
});

it('shows what others wrote without letting it command the terminal', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  await world.send(alice, bob, 'red \u001b[31m, bell \u0007, line\nbreak, turned \u202e');
  const { out } = await posthorn(['inbox', '--as', bob]);
  expect(out).toContain('red \\u001b[31m, bell \\u0007, line\\u000abreak, turned \\u202e');
  expect(out.trim()).not.toContain('\u001b');
});

it('sends the lines of a file in order, and with the same --key only what has not been sent', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const file = join(folder, 'lines.txt');
  writeFileSync(file, 'one\n\ntwo\r\nthree');
  const args = ['send', bob, '--as', alice, '--file', file, '--key', 'once', '--json'];
  const first = await posthorn(args);
  expect(first).toMatchObject({
    code: 0,
    err: expect.stringMatching(/^3 sent in .* s; 1 blank line\(s\) left out\n$/),
  });
  expect(linesOf<{ line: number }>(first.out).map(({ line }) => line)).toEqual([1, 3, 4]);
  writeFileSync(file, 'one\n\ntwo\r\nthree\nfour\n');
  expect(await posthorn(args)).toMatchObject({ code: 0 });
  const { body } = await world.ask<{ items: InboxItem[] }>(bob, '/v1/inbox');
  expect(body.items.map(({ message }) => message.text)).toEqual(['one', 'two', 'three', 'four']);
});

it('stops at the line that is refused, says which, and ends with 1', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const input = `fine\n${'x'.repeat(10_000)}\nnever sent\n`;
  const { code, err } = await posthornProcess(['send', bob, '--as', alice], { input });
  expect(code).toBe(1);
  expect(err).toMatch(/line 2 was refused, the lines before it were sent\.[^]*invalid_message: .*\/text/);
  const { body } = await world.ask<{ items: InboxItem[] }>(bob, '/v1/inbox');
  expect(body.items.map(({ message }) => message.text)).toEqual(['fine']);
});

it('sends for somebody else with --from, data with --data, to several', async () => {
  const [bot, alice] = [world.user('bot'), world.user('alice')];
  const [bob, carol] = [world.user('bob'), world.user('carol')];
  const args = [
    'send',
    `${bob},${carol}`,
    '--as',
    bot,
    '--from',
    alice,
    '--data',
    '{"kind":"ping"}',
    '--json',
  ];
  const { code, out } = await posthorn(args);
  expect(code).toBe(0);
  expect(linesOf<Message>(out)).toMatchObject([{ from: alice, to: [bob, carol], data: { kind: 'ping' } }]);
});

it('prints for --count messages and ends; the next one is not acknowledged', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  await world.send(alice, bob, 'one');
  const second = await world.send(alice, bob, 'two');
  await world.send(alice, bob, 'three');
  const two = await posthorn(['listen', '--as', bob, '--count', '2', '--json']);
  expect(linesOf<InboxItem>(two.out).map(({ seq }) => seq)).toEqual([1, 2]);
  await isDelivered(alice, second.id);
  const rest = await posthorn(['listen', '--as', bob, '--until-caught-up', '--json']);
  expect(linesOf<InboxItem>(rest.out).map(({ seq }) => seq)).toEqual([3]);
});

it('ends with 130 on Ctrl-C, and with 1 when another one takes its device', async () => {
  const bob = world.user('bob');
  const first = startCli(['listen', '--as', bob], { env: world.addresses });
  await eventually('bob is online', () => world.isOnline(bob));
  const second = startCli(['listen', '--as', bob], { env: world.addresses });
  await once(first, 'close');
  expect(first.exitCode).toBe(1);
  second.kill('SIGINT');
  await once(second, 'close');
  expect(second.exitCode).toBe(130);
});

it('refuses to go on in a file of something else', async () => {
  const output = join(folder, 'other.txt');
  writeFileSync(output, 'dear diary\n');
  const { code, err } = await posthorn([
    'listen',
    '--as',
    world.user('bob'),
    '--output',
    output,
    '--until-caught-up',
  ]);
  expect(code).toBe(74);
  expect(err).toContain('name another file');
  expect(readFileSync(output, 'utf8')).toBe('dear diary\n');
});

it.each([
  ['no token', ['inbox'], {}, 64, 'name the user with --as'],
  ['a bad token', ['inbox'], { POSTHORN_TOKEN: 'no.good.token' }, 77, 'unauthorized'],
  ['a bad token to listen with', ['listen'], { POSTHORN_TOKEN: 'no.good.token' }, 77, 'unauthorized'],
  ['a bad address', ['inbox', '--as', 'bob', '--api', 'nowhere'], {}, 64, 'api must be a URL'],
  ['a message of nobody', ['receipts', 'nothing', '--as', 'bob'], {}, 1, 'not_found'],
  [
    'a number that is none',
    ['inbox', '--as', 'bob', '--limit', 'all'],
    {},
    64,
    '--limit must be a whole number',
  ],
  [
    'a file that is a folder',
    ['send', 'bob', '--as', 'alice', '--file', '/'],
    {},
    74,
    'the lines cannot be read: EISDIR',
  ],
  [
    'a file that is not there',
    ['send', 'bob', '--as', 'alice', '--file', '/none'],
    {},
    74,
    'the lines cannot be read: ENOENT',
  ],
  ['an unknown command', ['fly'], {}, 64, "unknown command 'fly'"],
] as const)('says what to do about %s', async (_what, args, env, code, words) => {
  const outcome = await posthorn(args, { env });
  expect(outcome).toMatchObject({ code, out: '' });
  expect(outcome.err).toContain(words);
});

it('puts a short load on it and says how it did', async () => {
  const args = ['bench', '--users', '4', '--rate', '50', '--seconds', '1', '--json'];
  const { code, out, err } = await posthorn(args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const [result] = linesOf<{ accepted: number; refused: number; arrived: number }>(out);
  expect(result).toMatchObject({ missing: 0, again: 0 });
  // A busy machine may refuse one with a 503, which is no fault of the load.
  const { accepted, refused, arrived } = result ?? { accepted: 0, refused: 0, arrived: 0 };
  expect(accepted + refused).toBe(50);
  expect(arrived).toBeGreaterThanOrEqual(accepted);
});
