import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GUARD = join(__dirname, '..', '..', 'guard.cjs');

function startGuard(...words: object[]): ChildProcess {
  const guard = spawn(process.execPath, [GUARD], { stdio: ['pipe', 'ignore', 'inherit'] });
  for (const word of words) guard.stdin?.write(`${JSON.stringify(word)}\n`);
  return guard;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

it('ends what it watches, even what ignores the signal, and removes folders, once its parent is gone', async () => {
  const child = spawn(process.execPath, [
    '-e',
    "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')",
  ]);
  await once(child.stdout, 'data');
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-guard-'));
  writeFileSync(join(folder, 'file'), '');
  const guard = startGuard({ watch: child.pid, signal: 'SIGTERM' }, { remove: folder });
  guard.stdin?.end();
  await ended(guard);
  await ended(child);
  expect(child.signalCode).toBe('SIGKILL');
  expect(existsSync(folder)).toBe(false);
});

it('leaves alone what it was told to forget', async () => {
  const child = spawn(process.execPath, ['-e', "process.stdin.resume(); console.log('up')"]);
  await once(child.stdout, 'data');
  const guard = startGuard({ watch: child.pid, signal: 'SIGTERM' }, { forget: child.pid });
  guard.stdin?.end();
  await ended(guard);
  // It ends by itself, and not by a signal.
  child.stdin.end();
  await ended(child);
  expect([child.exitCode, child.signalCode]).toEqual([0, null]);
});
