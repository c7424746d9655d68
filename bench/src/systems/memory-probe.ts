import { join } from 'node:path';
import type { ProcessMemory } from './running-system';

/** Arguments of Node for a process whose memory can be read. */
export const PROBE_ARGS = ['--expose-gc', '--require', join(__dirname, '..', '..', 'memory-probe.cjs')];

const BOUND_MS = 20_000;

/** Asks one process for its memory by a signal, and reads the answer from its output. */
export class MemoryProbe {
  #onMemory: ((memory: ProcessMemory) => void) | null = null;

  /** Call this for every line of the process. */
  readonly onLine = (line: string): void => {
    if (!line.startsWith('{"benchMemory"')) return;
    this.#onMemory?.((JSON.parse(line) as { benchMemory: ProcessMemory }).benchMemory);
  };

  async ask(kill: (signal: NodeJS.Signals) => void): Promise<ProcessMemory> {
    return await new Promise((resolve, reject) => {
      const bound = setTimeout(() => reject(new Error('a process did not tell its memory')), BOUND_MS);
      this.#onMemory = (memory) => {
        clearTimeout(bound);
        resolve(memory);
      };
      kill('SIGUSR2');
    });
  }
}
