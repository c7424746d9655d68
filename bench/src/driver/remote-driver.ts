import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Driver, Target } from './driver';

type Methods = Pick<Driver, 'connect' | 'disconnect' | 'allGone' | 'stop' | 'send' | 'drain' | 'get'>;

/** A command to the process that makes the load. */
export interface Command {
  id: number;
  method: keyof Methods | 'open';
  args: unknown[];
}

/** Its answer. */
export interface Reply {
  id: number;
  result?: unknown;
  error?: string;
}

/** The built file, because it runs as a process even when the bench runs from its sources. */
const MAIN = join(__dirname, '..', '..', 'dist', 'driver', 'main.js');

/** A `Driver` in a process of its own, so that the bench's own work does not disturb the load. */
export class RemoteDriver {
  readonly #child: ChildProcess;
  readonly #pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #nextId = 1;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', ({ id, result, error }: Reply) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(result);
      else pending?.reject(new Error(`the driver failed: ${error}`));
    });
    child.on('exit', (code, signal) => {
      for (const { reject } of this.#pending.values())
        reject(new Error(`the driver ended (${code ?? signal})`));
      this.#pending.clear();
    });
  }

  static async start(target: Target): Promise<RemoteDriver> {
    const driver = new RemoteDriver(fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    await driver.#ask('open', [target]);
    return driver;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Calls one of the driver's methods. */
  async call<Name extends keyof Methods>(
    method: Name,
    ...args: Parameters<Methods[Name]>
  ): Promise<Awaited<ReturnType<Methods[Name]>>> {
    return (await this.#ask(method, args)) as Awaited<ReturnType<Methods[Name]>>;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = new Promise((resolve) => {
        this.#child.once('exit', resolve);
      });
      this.#child.kill('SIGKILL');
      await exited;
    }
  }

  #ask(method: Command['method'], args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      this.#child.send({ id, method, args } satisfies Command);
    });
  }
}
