import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { guardProcess } from './guard';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What to run, and how. */
export interface ProcessOptions {
  /** For error messages. */
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment of the process. */
  env: Record<string, string>;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** The signal that ends it when this process is gone. */
  orphanSignal: NodeJS.Signals;
  /** Called for every line of its output. */
  onLine?: (line: string) => void;
}

/** A child process in its own group. It keeps the last lines of its output and never outlives this process. */
export interface ManagedProcess {
  pid: number;
  exited: Promise<Exit>;
  /** The last lines of stdout and stderr, at most `MAX_LINES`. */
  logs(): string[];
  kill(signal: NodeJS.Signals): void;
  /**
   * The first line for which `matches` is true, including earlier lines. Rejects if the process ends first, or after
   * `boundMs`.
   */
  waitForLine(matches: (line: string) => boolean, boundMs: number): Promise<string>;
  /** Sends the signal, waits, and sends SIGKILL after `boundMs`. */
  stop(signal: NodeJS.Signals, boundMs: number): Promise<Exit>;
  /** An error that says what happened and contains the process's last lines. */
  failure(what: string): Error;
}

const MAX_LINES = 2_000;
const MAX_LINE_CHARS = 16_384;
const LINES_IN_ERRORS = 20;

/** Starts a process. Throws if it cannot be started at all. */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const child = spawn(options.command, options.args, {
    // Its own group: Ctrl-C in a terminal must not end the stores before the services.
    detached: true,
    cwd: options.cwd ?? '/',
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const pid = await spawned(child, options);
  const release = guardProcess(pid, options.orphanSignal);
  const lines: string[] = [];
  const listeners = new Set<(line: string) => void>();
  const ends = [child.stdout, child.stderr].map((output) =>
    eachLine(output, (line) => {
      lines.push(line);
      if (lines.length > MAX_LINES) lines.shift();
      options.onLine?.(line);
      for (const listener of listeners) listener(line);
    }),
  );
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      release();
      // The last lines may still be in the pipe. The wait is bounded, because a grandchild may keep the pipe open.
      void Promise.race([Promise.all(ends), sleep(500, undefined, { ref: false })]).then(() =>
        resolve({ code, signal }),
      );
    });
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const failure = (what: string) =>
    new Error(`${options.name} ${what}. Its last lines:\n${lines.slice(-LINES_IN_ERRORS).join('\n')}`);

  return {
    pid,
    exited,
    failure,
    logs: () => [...lines],
    kill: (signal) => void (isRunning() && child.kill(signal)),
    waitForLine: (matches, boundMs) =>
      new Promise<string>((resolve, reject) => {
        const seen = lines.find(matches);
        if (seen !== undefined) return resolve(seen);
        const settle = (act: () => void) => {
          clearTimeout(timer);
          listeners.delete(listen);
          act();
        };
        const listen = (line: string) => {
          if (matches(line)) settle(() => resolve(line));
        };
        const timer = setTimeout(
          () => settle(() => reject(failure(`was not ready after ${boundMs / 1_000} s`))),
          boundMs,
        );
        listeners.add(listen);
        void exited.then((exit) => settle(() => reject(failure(`ended early (${describeExit(exit)})`))));
      }),
    stop: async (signal, boundMs) => {
      if (isRunning()) child.kill(signal);
      const timer = setTimeout(() => isRunning() && child.kill('SIGKILL'), boundMs);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}

/** "exit code 1" or "signal SIGKILL". */
function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

function spawned(child: ChildProcess, { name, command }: ProcessOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (error) => reject(new Error(`${name}: cannot run ${command}: ${error.message}`)));
  });
}

/** Resolves at the end of the stream. */
function eachLine(input: Readable, take: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
      .on('line', (line) => take(line.slice(0, MAX_LINE_CHARS)))
      .on('close', resolve);
  });
}
