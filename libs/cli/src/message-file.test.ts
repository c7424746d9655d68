import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageFile } from './message-file.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-file-'));
  path = join(folder, 'messages.jsonl');
});

afterEach(() => rmSync(folder, { recursive: true }));

function delivery(seq: number, text = 'hello') {
  const message = { id: String(seq), from: 'alice', text, createdAt: '2026-11-22T12:00:00.000Z' };
  return { seq, epoch: 'e1', message };
}

function line(seq: number, text?: string): string {
  return `${JSON.stringify(delivery(seq, text))}\n`;
}

it('begins without a cursor, and goes on behind the last line', () => {
  const first = MessageFile.open(path);
  expect(first.cursor).toBeUndefined();
  first.append(delivery(1));
  first.append(delivery(2));
  first.close();
  const second = MessageFile.open(path);
  expect(second.cursor).toEqual({ epoch: 'e1', seq: 2 });
  second.append(delivery(3));
  second.close();
  expect(readFileSync(path, 'utf8')).toBe(line(1) + line(2) + line(3));
});

it.each([
  ['a few bytes', 7],
  ['all but the end of the line', -1],
])('drops a last line of which only %s were written', (_what, length) => {
  writeFileSync(path, line(1) + line(2));
  appendFileSync(path, line(3).slice(0, length));
  const file = MessageFile.open(path);
  expect(file.cursor).toEqual({ epoch: 'e1', seq: 2 });
  file.append(delivery(3));
  file.close();
  expect(readFileSync(path, 'utf8')).toBe(line(1) + line(2) + line(3));
});

it('finds lines that are longer than what is read at once', () => {
  const long = 'ä'.repeat(100_000);
  writeFileSync(path, line(1, long) + line(2, long) + line(3, long).slice(0, -1));
  const file = MessageFile.open(path);
  file.close();
  expect(file.cursor).toEqual({ epoch: 'e1', seq: 2 });
  expect(readFileSync(path, 'utf8')).toBe(line(1, long) + line(2, long));
});

it('drops all of a file that is the beginning of one line', () => {
  writeFileSync(path, line(1).slice(0, -1));
  const file = MessageFile.open(path);
  file.close();
  expect(file.cursor).toBeUndefined();
  expect(readFileSync(path, 'utf8')).toBe('');
});

it.each([
  'dear diary',
  'dear diary\n',
  `${line(1)}dear diary`,
  'dear diary\n{"seq":1',
  '{"seq":"1","epoch":"e"}\n',
  'null\n',
])('refuses %j, and leaves it as it is', (text) => {
  writeFileSync(path, text);
  expect(() => MessageFile.open(path)).toThrow('name another file');
  expect(readFileSync(path, 'utf8')).toBe(text);
});
