import type { RedisServer } from '@posthorn/stack';
import type { RedisNode } from './chaos-world';

const PASSING: readonly NodeJS.Signals[] = ['SIGSTOP', 'SIGCONT'];

/** One Redis server, or a sentinel, that faults can break. */
export class ServerNode implements RedisNode {
  readonly label: string;
  readonly server: RedisServer;
  #isEnded = false;

  constructor(label: string, server: RedisServer) {
    this.label = label;
    this.server = server;
  }

  get pid(): number | null {
    return this.#isEnded ? null : this.server.pid;
  }

  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    return await this.server.ask((redis) => redis.call(command, ...args));
  }

  kill(signal: NodeJS.Signals): void {
    if (!PASSING.includes(signal)) this.#isEnded = true;
    this.server.signal(signal);
  }

  /** Also continues a suspended one. */
  async start(): Promise<void> {
    if (!this.#isEnded) {
      this.server.signal('SIGCONT');
      return;
    }
    await this.server.restart();
    this.#isEnded = false;
  }
}
