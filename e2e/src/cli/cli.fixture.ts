import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../docs/repository';

/** How a command ended, and what it printed. */
export interface CliOutcome {
  code: number | null;
  out: string;
  err: string;
}

export interface CliOptions {
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
  /** A shell command to run first, for things that only a shell can set: `ulimit -n 1000`. */
  shell?: string;
}

const POSTHORN = join(root, 'libs', 'cli');

/** Starts `posthorn` as a process. It gets only PATH from this process's environment. */
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
  // A command may end before it has read all its input.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input ?? '');
  await once(child, 'close');
  return { code: child.exitCode, out, err };
}

/**
 * Runs several commands in one process, each in a world of its own, because loading the build takes most of a
 * command's time.
 */
const HOST = `
import { PassThrough, Readable } from 'node:stream';
const { runCli } = await import(process.argv[1]);
function collector() {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => (text += chunk));
  return { stream, text: () => text };
}
process.on('message', async ({ id, args, env, folder, input }) => {
  const [out, err] = [collector(), collector()];
  const stop = new AbortController().signal;
  const world = { env, folder, input: Readable.from([input]), out: out.stream, err: err.stream, stop };
  const code = await runCli(args, world);
  process.send({ id, outcome: { code, out: out.text(), err: err.text() } });
});
process.on('disconnect', () => process.exit());
process.send({ id: 0 });
`;

let host: Promise<ChildProcess> | undefined;
let calls = 0;

afterAll(async () => {
  const child = await host;
  if (child === undefined) return;
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
});

/**
 * Runs `posthorn` to its end like `runCli`, but not in a process of its own. For tests that are not about processes.
 */
export async function callCli(
  args: readonly string[],
  { env = {}, cwd = '/', input = '' }: Omit<CliOptions, 'shell'> = {},
): Promise<CliOutcome> {
  host ??= startHost();
  const child = await host;
  calls += 1;
  const id = calls;
  return await new Promise((resolve, reject) => {
    const onEnd = (): void => reject(new Error(`the host of the commands ended: ${child.exitCode}`));
    const onMessage = (message: { id: number; outcome: CliOutcome }): void => {
      if (message.id !== id) return;
      child.off('message', onMessage).off('exit', onEnd);
      resolve(message.outcome);
    };
    child.on('message', onMessage).on('exit', onEnd);
    child.send({ id, args, env, folder: cwd, input });
  });
}

async function startHost(): Promise<ChildProcess> {
  const index = pathToFileURL(join(POSTHORN, 'dist', 'index.js')).href;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', HOST, index], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  return child;
}

/** Lines of JSON. */
export function linesOf<T>(out: string): T[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line): T => JSON.parse(line));
}
