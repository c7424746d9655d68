import { mkdirSync } from 'node:fs';
import Redis from 'ioredis';
import { redisCacheFolder } from '../paths';
import { freePort } from '../process/free-port';
import { type ManagedProcess, startProcess } from '../process/managed-process';
import { findRedisServer } from '../tools/find-redis-server';
import type { RedisBinary } from '../tools/redis-binary';

/** What kind of Redis to start. */
export interface RedisOptions {
  /** Its folder; an append-only file that is there already is read. */
  dir: string;
  /** Any free port unless given. */
  port?: number;
  /** More arguments: `['--appendonly', 'yes']`. A function is called for each try to start. */
  args?: readonly string[] | (() => Promise<readonly string[]>);
  /** Found with `findRedisServer` unless given. */
  binary?: RedisBinary;
}

/** A command line, and part of the line that the process prints once it serves. */
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

/** A Redis process on 127.0.0.1, which can be made to fail, and started again under its port. */
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

  /** Throws with the server's own words when it does not start. */
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

  /** Of the process that runs, or that ran last. */
  get pid(): number {
    return this.#process.pid;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  logs(): string[] {
    return this.#process.logs();
  }

  /** SIGSTOP makes it hang until SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Kills it with -9. */
  async kill(): Promise<void> {
    await this.#process.stop('SIGKILL', STOP_BOUND_MS);
  }

  /** Ends it, also one that hangs. */
  async stop(): Promise<void> {
    this.signal('SIGCONT');
    await this.#process.stop('SIGTERM', STOP_BOUND_MS);
  }

  /** Starts it again, after `stop` or `kill`, with what is in its folder. */
  async restart(): Promise<void> {
    await this.#process.exited;
    this.#process = await startServer(this.#launch);
    this.#isRunning = true;
    this.#watch(this.#process);
  }

  /** Asks it something, over a connection of its own. Rejects where it does not answer. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis({
      host: HOST,
      port: this.port,
      commandTimeout: ASK_BOUND_MS,
      retryStrategy: null,
      disconnectTimeout: 100,
    });
    redis.on('error', () => undefined); // the question is rejected, too
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

/** Starts a Redis of our own that never evicts a key. Throws with the server's own words when it does not start. */
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
