import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What the kernel reports about one process. */
export interface ProcessRow {
  pid: number;
  parent: number;
  /** CPU of the process and of its ended children that were waited for, in ms. */
  cpuMs: number;
  /** Resident memory, in bytes. */
  rss: number;
}

/** False without /proc (macOS): CPU and memory are not reported then. */
export const hasProc = existsSync('/proc/self/stat');

const PAGE = 4_096;
const tickMs = hasProc ? 1_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) : 10;

/** Parses a line of /proc/PID/stat. The name in brackets may itself contain spaces and brackets. */
export function parseStat(text: string, msPerTick: number): ProcessRow {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]); // as proc(5) numbers them
  return {
    pid: Number.parseInt(text, 10),
    parent: field(4),
    cpuMs: (field(14) + field(15) + field(16) + field(17)) * msPerTick,
    rss: field(24) * PAGE,
  };
}

/** Adds up a process and all its descendants: a service with its workers, Postgres with its backends. */
export function sumOfTree(rows: readonly ProcessRow[], root: number): { cpuMs: number; rss: number } {
  const sum = { cpuMs: 0, rss: 0 };
  const left = [root];
  for (let pid = left.pop(); pid !== undefined; pid = left.pop()) {
    const row = rows.find((candidate) => candidate.pid === pid);
    sum.cpuMs += row?.cpuMs ?? 0;
    sum.rss += row?.rss ?? 0;
    left.push(...rows.filter(({ parent }) => parent === pid).map((child) => child.pid));
  }
  return sum;
}

/** All processes of this machine; empty without /proc. */
export function readProcesses(): ProcessRow[] {
  if (!hasProc) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [parseStat(readFileSync(`/proc/${name}/stat`, 'utf8'), tickMs)];
      } catch {
        return []; // it has ended
      }
    });
}
