import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from '../docs/repository';

/** How a command ended, and what it said. */
export interface CliOutcome {
  code: number | null;
  out: string;
  err: string;
}

export interface CliOptions {
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
  /** A shell to begin in, for what only a shell can set: `ulimit -n 1000` for example. */
  shell?: string;
}

const POSTHORN = join(root, 'libs', 'cli');

/** Starts `posthorn` as a process of its own. Nothing of this process's environment is passed on but the path. */
export function startCli(
  args: readonly string[],
  { env = {}, cwd = '/', shell }: CliOptions = {},
): ChildProcess {
  const options = { cwd, env: { PATH: process.env['PATH'] ?? '', ...env } };
  if (shell === undefined) return spawn(process.execPath, [POSTHORN, ...args], options);
  return spawn('sh', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, POSTHORN, ...args], options);
}

/** Runs `posthorn` to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliOutcome> {
  const child = startCli(args, options);
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  // A command that ends before it has read everything is not at fault.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input ?? '');
  await once(child, 'close');
  return { code: child.exitCode, out, err };
}

/** Lines of JSON. */
export function linesOf<T>(out: string): T[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line));
}
