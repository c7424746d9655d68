import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf } from './command-of';
import { errorCode } from './error-code';

/**
 * Makes this process the only one that starts a stack in the folder. Returns a function that releases the lock.
 * Throws and names the other process if one holds it. A lock of a dead process does not count.
 */
export function takeStartLock(folder: string): () => void {
  const file = join(folder, 'start.lock');
  mkdirSync(folder, { recursive: true });
  // The file also holds the command, because after a restart of the machine another process may have the same id.
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
      throw new Error(`Another start seems to be running. If it is not, remove ${file}.`);
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
