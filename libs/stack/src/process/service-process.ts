import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repoRoot } from '../paths';
import { type Exit, type ManagedProcess, startProcess } from './managed-process';
import { NODE_FLAGS } from './node-flags';

export type ServiceName = 'send-api' | 'ws-gateway';

/** One running process of a service. */
export interface ServiceProcess {
  name: ServiceName;
  pid: number;
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** `http://127.0.0.1:ADMIN_PORT` */
  adminUrl: string;
  /** ws-gateway only: `ws://127.0.0.1:PORT/v1/connect` */
  wsUrl?: string;
  /** The last lines of its log, at most 2,000. */
  logs(): string[];
  kill(signal: NodeJS.Signals): void;
  exited: Promise<Exit>;
  /** Sends SIGTERM, and SIGKILL if the stop takes 10 s longer than `DRAIN_MS`. */
  stop(): Promise<Exit>;
}

/** How to start a service differently from the default. */
export interface ServiceOptions {
  /** More arguments for Node: `['--require', PRELOAD]`. */
  execArgv?: readonly string[];
  /** The `main.js` of another build, instead of this repository's. */
  main?: string;
  /** True by default: waits until the service is ready. If false, waits until it listens. */
  isReadyExpected?: boolean;
  /** Called for every line of its log. */
  onLine?: (line: string) => void;
}

const HOST = '127.0.0.1';
/** These limits only end a start that hangs. They are long because a busy machine is slow. */
const LISTEN_BOUND_MS = 120_000;
const READY_BOUND_MS = 120_000;
/** Longer than the 3 s that an answer may take. */
const ANSWER_BOUND_MS = 10_000;
const DEFAULT_DRAIN_MS = 10_000;
const STOP_MARGIN_MS = 10_000;
/**
 * The variables of this process that a child needs. Everything else that a service reads is a setting, and the caller
 * names it.
 */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'NODE_V8_COVERAGE', 'NODE_EXTRA_CA_CERTS'];

/**
 * Starts a service from its build with the settings in `env`, and waits until it is ready. `PORT` and `ADMIN_PORT`
 * are free ports by default. Throws with the last log lines if it does not become ready.
 */
export async function startService(
  name: ServiceName,
  env: Readonly<Record<string, string>>,
  { execArgv = [], main = mainOf(name), isReadyExpected = true, onLine }: ServiceOptions = {},
): Promise<ServiceProcess> {
  const child = await startProcess({
    name,
    command: process.execPath,
    args: [...NODE_FLAGS, ...execArgv, main],
    env: { ...inherited(), PORT: '0', ADMIN_PORT: '0', ...env },
    cwd: repoRoot,
    orphanSignal: 'SIGTERM',
    ...(onLine === undefined ? {} : { onLine }),
  });
  const stopBoundMs = Number(env['DRAIN_MS'] ?? DEFAULT_DRAIN_MS) + STOP_MARGIN_MS;
  const stop = () => child.stop('SIGTERM', stopBoundMs);
  try {
    const line = await child.waitForLine((text) => portsIn(text) !== undefined, LISTEN_BOUND_MS);
    const { port, adminPort } = portsIn(line) ?? { port: 0, adminPort: 0 };
    const adminUrl = `http://${HOST}:${adminPort}`;
    if (isReadyExpected) await untilReady(child, adminUrl);
    return {
      name,
      pid: child.pid,
      url: `http://${HOST}:${port}`,
      adminUrl,
      ...(name === 'ws-gateway' ? { wsUrl: `ws://${HOST}:${port}/v1/connect` } : {}),
      logs: () => child.logs(),
      kill: (signal) => child.kill(signal),
      exited: child.exited,
      stop,
    };
  } catch (error) {
    await child.stop('SIGKILL', 0);
    throw error;
  }
}

/** The entry file of a service's build. */
export function mainOf(name: ServiceName): string {
  return join(repoRoot, 'services', name, 'dist', 'main.js');
}

/** The variables of this process that every child gets. */
export function inherited(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The ports in the log line that says "listening". */
function portsIn(line: string): { port: number; adminPort: number } | undefined {
  if (!line.includes('"listening"')) return undefined;
  try {
    const { message, port, adminPort }: Record<string, unknown> = JSON.parse(line);
    if (message !== 'listening' || typeof port !== 'number' || typeof adminPort !== 'number')
      return undefined;
    return { port, adminPort };
  } catch {
    return undefined; // not a log line
  }
}

async function untilReady(child: ManagedProcess, adminUrl: string): Promise<void> {
  const boundAt = Date.now() + READY_BOUND_MS;
  const ended = new AbortController();
  void child.exited.then(() => ended.abort());
  let last = 'no answer';
  while (Date.now() < boundAt && !ended.signal.aborted) {
    try {
      const response = await fetch(`${adminUrl}/readyz`, { signal: AbortSignal.timeout(ANSWER_BOUND_MS) });
      if (response.status === 200) return;
      last = await response.text();
    } catch (error) {
      last = String(error);
    }
    await sleep(50);
  }
  throw child.failure(`did not become ready (readyz: ${last})`);
}
