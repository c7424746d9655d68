import { mkdirSync } from 'node:fs';
import Redis from 'ioredis';
import { redisCacheFolder } from '../paths';
import { freePort } from '../process/free-port';
import { type ManagedProcess, startProcess } from '../process/managed-process';
import { findRedisServer } from '../tools/find-redis-server';
import type { RedisBinary } from '../tools/redis-binary';

/** How to start Redis. */
export interface RedisOptions {
  /** Its folder. An existing append-only file is read. */
  dir: string;
  /** Any free port by default. */
  port?: number;
  /** More arguments: `['--appendonly', 'yes']`. A function is called for each attempt to start. */
  args?: readonly string[] | (() => Promise<readonly string[]>);
  /** The result of `findRedisServer` by default. */
  binary?: RedisBinary;
}

/** A command line, and a part of the line that the process prints once it serves. */
interface Launch {
  binary: RedisBinary;
  dir: string;
  args: readonly string[];
  readyText: string;
}

const HOST = '127.0.0.1';
const READY_BOUND_MS = 60_000;
const STOP_BOUND_MS = 10_000;
const ASK_BOUND_MS = 5_000;
const PORT_TRIES = 5;

/** A Redis process on 127.0.0.1. Tests can make it fail and start it again on the same port. */
export class RedisServer {
  readonly port: number;
  readonly #launch: Launch;
  #process: ManagedProcess;
  #isRunning = true;

  private constructor(port: number, launch: Launch, process: ManagedProcess) {
    this.port = port;
    this.#launch = launch;
    this.#process = process;
    this.#watch(process);
  }

  /** Throws with the server's own output if it does not start. */
  static async launch(port: number, launch: Launch): Promise<RedisServer> {
    return new RedisServer(port, launch, await startServer(launch));
  }

  get url(): string {
    return `redis://${this.address}`;
  }

  /** `host:port`, as Redis itself names it. */
  get address(): string {
    return `${HOST}:${this.port}`;
  }

  /** The id of the running process, or of the last one. */
  get pid(): number {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  logs(): string[] {
    return this.#process.logs();
  }

  /** Sends a signal. SIGSTOP makes the process hang until SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Kills the process with SIGKILL. */
  async kill(): Promise<void> {
    await this.#process.stop('SIGKILL', STOP_BOUND_MS);
  }

  /** Stops the process, even if it hangs. */
  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.#process.stop('SIGTERM', STOP_BOUND_MS);
  }

  /** Starts it again after `stop` or `kill`, with the data of its folder. */
  async restart(): Promise<void> {
    await this.#process.exited;
    this.#process = await startServer(this.#launch);
    this.#isRunning = true;
    this.#watch(this.#process);
  }

  /** Asks it something over a connection of its own. Rejects if it does not answer. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({
      host: HOST,
      port: this.port,
      commandTimeout: ASK_BOUND_MS,
      retryStrategy: null,
      disconnectTimeout: 100,
    });
    redis.on('error', () => undefined); // the question rejects too
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  #watch(process: ManagedProcess): void {
    void process.exited.then(() => {
      if (this.#process === process) this.#isRunning = false;
    });
  }
}

/** Starts our own Redis, which never evicts a key. Throws with the server's own output if it does not start. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const { dir, port: wanted, args = [] } = options;
  const binary = options.binary ?? (await findRedisServer(redisCacheFolder));
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort());
    const more = typeof args === 'function' ? await args() : args;
    const launch = {
      binary,
      dir,
      args: [...settings(port, dir), ...more],
      readyText: 'eady to accept connections',
    };
    try {
      return await RedisServer.launch(port, launch);
    } catch (error) {
      const isPortTaken = error instanceof Error && error.message.includes('Address already in use');
      if (!isPortTaken || wanted !== undefined || attempt === PORT_TRIES) throw error;
    }
  }
}

async function startServer({ binary, dir, args, readyText }: Launch): Promise<ManagedProcess> {
  mkdirSync(dir, { recursive: true });
  const server = await startProcess({
    name: `Redis (${binary.command})`,
    command: binary.command,
    args,
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', ...binary.env },
    cwd: dir,
    orphanSignal: 'SIGTERM',
  });
  try {
    await server.waitForLine((line) => line.includes(readyText), READY_BOUND_MS);
    return server;
  } catch (error) {
    await server.stop('SIGKILL', STOP_BOUND_MS);
    throw error;
  }
}

function settings(port: number, dir: string): string[] {
  return Object.entries({
    port: String(port),
    bind: HOST,
    dir,
    daemonize: 'no',
    save: '',
    'maxmemory-policy': 'noeviction',
  }).flatMap(([name, value]) => [`--${name}`, value]);
}
