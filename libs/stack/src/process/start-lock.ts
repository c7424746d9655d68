import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf } from './command-of';
import { errorCode } from './error-code';

/**
 * Makes this process the only one that starts a stack in the folder. Returns what gives that up; throws, naming the
 * other process, where one holds it. A lock left by a process that is gone does not count.
 */
export function takeStartLock(folder: string): () => void {
  const file = join(folder, 'start.lock');
  mkdirSync(folder, { recursive: true });
  // The command is kept because a number alone may by now be somebody else's, after a restart of the machine.
  const mine = `${process.pid}\n${commandOf(process.pid) ?? ''}\n`;
  if (!tryWrite(file, mine)) {
    const [pid = '', command = ''] = readFileSync(file, 'utf8').split('\n');
    const running = commandOf(Number(pid));
    if (Number(pid) !== process.pid && running !== undefined && running === command) {
      throw new Error(
        `Posthorn already runs in this folder, as process ${pid}. Stop it with Ctrl-C there, or: kill ${pid}`,
      );
    }
    rmSync(file, { force: true });
    if (!tryWrite(file, mine))
      throw new Error(`Another start got ahead of this one. Remove ${file} if it did not.`);
  }
  return () => rmSync(file, { force: true });
}

function tryWrite(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}
