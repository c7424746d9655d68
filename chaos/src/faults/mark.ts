import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A mark by which a changed process shows that it passed a point, even if the process then ends. */
export interface Mark {
  /** A statement for the changed code. */
  readonly code: string;
  /** How often it ran. The number stays known after the mark is removed. */
  count(): number;
  remove(): void;
}

/** A file that grows by one byte at each pass. */
export function createMark(): Mark {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-mark-'));
  const file = join(folder, 'passes');
  let last = 0;
  const count = (): number => {
    if (existsSync(file)) last = statSync(file).size;
    return last;
  };
  return {
    code: `require('node:fs').appendFileSync(${JSON.stringify(file)}, '.');`,
    count,
    remove: () => {
      count();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
