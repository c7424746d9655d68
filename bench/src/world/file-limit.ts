import { execFileSync } from 'node:child_process';

/** Files that a process has open besides its connections. */
const OTHERS = 500;

/**
 * How many connections a process may hold on this machine. Node raises the soft limit on open files to the hard
 * limit.
 */
export function mostConnections(): number {
  const text = execFileSync('/bin/sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text) - OTHERS;
}
