import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandOf } from './command-of';
import { takeStartLock } from './start-lock';

const folder = mkdtempSync(join(tmpdir(), 'posthorn-lock-'));
const file = join(folder, 'start.lock');
afterAll(() => rmSync(folder, { recursive: true }));

it('is free again once it is given up', () => {
  takeStartLock(folder)();
  takeStartLock(folder)();
  expect(existsSync(file)).toBe(false);
});

it('names the process that holds it', () => {
  writeFileSync(file, `${process.ppid}\n${commandOf(process.ppid)}\n`);
  expect(() => takeStartLock(folder)).toThrow(`process ${process.ppid}`);
});

it.each([
  ['of a process that is gone', '2147483000\nnode\n'],
  ['whose number is by now another process', `${process.ppid}\nnode something else\n`],
  ['that is empty', ''],
])('takes over a lock %s', (_what, text) => {
  writeFileSync(file, text);
  takeStartLock(folder)();
  expect(existsSync(file)).toBe(false);
});
