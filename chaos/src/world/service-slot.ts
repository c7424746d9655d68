import { type Exit, type ServiceName, type ServiceProcess, startService } from '@posthorn/stack';
import type { FaultProxy } from '@posthorn/testing';
import type { HistoryRecorder } from '../history/recorder';
import type { ServiceSlot, StartVariant } from './chaos-world';
import { launchOf } from './launch';

/** The place of a service, and its start options. */
export interface ServicePlaceOptions {
  name: ServiceName;
  index: number;
  /** Its settings. */
  env: Readonly<Record<string, string>>;
  /** Its public address, in front of the current process. */
  front: FaultProxy;
  recorder: HistoryRecorder;
  /** Added to each start: a bug on purpose for the whole run. */
  base: StartVariant;
}

/** After this time a process counts as hung. */
const METRIC_WAIT_MS = 10_000;

/** Log lines that a service must never write, whatever is done to it. */
const FORBIDDEN =
  /uncaught|unhandled|MaxListenersExceeded|heap out of memory|ERR_HTTP_HEADERS_SENT|ERR_STREAM_WRITE_AFTER_END|TypeError|ReferenceError|RangeError/i;

/** A place for one process of a service. Its address stays when the process is replaced. */
export class ServicePlace implements ServiceSlot {
  readonly name: ServiceName;
  readonly index: number;
  readonly label: string;
  readonly #options: ServicePlaceOptions;
  #process: ServiceProcess | null = null;
  #isEndExpected = false;
  /** A variant may die or write forbidden lines. */
  #isVariant = false;
  #ended: Promise<Exit> = Promise.resolve({ code: null, signal: null });

  constructor(options: ServicePlaceOptions) {
    this.#options = options;
    this.name = options.name;
    this.index = options.index;
    this.label = `${options.name} ${options.index}`;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** The public address, `http://127.0.0.1:PORT`. */
  get url(): string {
    return `http://127.0.0.1:${this.#options.front.port}`;
  }

  kill(signal: NodeJS.Signals): void {
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.#isEndExpected = true;
    this.#process?.kill(signal);
  }

  exited(): Promise<Exit> {
    return this.#ended;
  }

  async start(variant: StartVariant = {}, isReadyExpected = true): Promise<void> {
    if (this.#process !== null) throw new Error(`${this.label} runs already`);
    const { name, env, front, base } = this.#options;
    const mutations = [...(base.mutations ?? []), ...(variant.mutations ?? [])];
    const { execArgv, env: added } = launchOf({
      ...base,
      ...variant,
      mutations,
      env: { ...base.env, ...variant.env },
    });
    this.#isVariant = variant.mutations !== undefined;
    const started = await startService(
      name,
      { ...env, ...added },
      {
        execArgv,
        isReadyExpected,
        onLine: (line) => this.#look(line),
      },
    );
    this.#process = started;
    this.#isEndExpected = false;
    front.retarget(Number(new URL(started.url).port));
    this.#ended = started.exited.then((exit) => this.#end(exit));
  }

  async stop(): Promise<Exit> {
    this.#isEndExpected = true;
    const running = this.#process;
    if (running === null) return await this.#ended;
    running.kill('SIGCONT');
    await running.stop();
    return await this.#ended;
  }

  async metric(name: string): Promise<number | null> {
    const { adminUrl } = this.#process ?? {};
    if (adminUrl === undefined) return null;
    try {
      const response = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(METRIC_WAIT_MS) });
      return sumOf(await response.text(), name);
    } catch {
      return null; // faults make it hang or end
    }
  }

  #end(exit: Exit): Exit {
    const { recorder } = this.#options;
    this.#process = null;
    this.#options.front.retarget(null);
    recorder.record('harness', {
      type: 'info',
      f: 'process',
      v: { process: this.label, exit, isExpected: this.#isEndExpected || this.#isVariant },
    });
    return exit;
  }

  #look(line: string): void {
    if (this.#isVariant || !FORBIDDEN.test(line)) return;
    this.#options.recorder.record('harness', {
      type: 'info',
      f: 'process',
      v: { process: this.label, line },
    });
  }
}

function sumOf(text: string, name: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      sum += Number(line.slice(line.lastIndexOf(' ')));
  }
  return sum;
}
