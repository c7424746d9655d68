import cluster, { type Worker } from 'node:cluster';
import type { AdminRequest, AdminResponse } from '../admin/admin-routes';
import type { Logger } from '../log/logger';
import { isWorkerMessage, type PrimaryMessage, type RouteName } from './worker-messages';

export interface WorkerPoolOptions {
  readonly size: number;
  readonly log: Logger;
  /** Called when all workers listen for the first time. */
  readonly onComplete: (port: number, routes: readonly RouteName[]) => void;
  /** Called when a worker ends before all workers have listened once: the start failed. */
  readonly onFailedStart: () => void;
  /** Called when a worker ended unexpectedly and another one will replace it. */
  readonly onRestart: () => void;
}

/** A worker did not answer, or ended before it answered. */
export class WorkerSilentError extends Error {
  override readonly name = 'WorkerSilentError';
}

interface Slot {
  worker: Worker;
  isStarted: boolean;
  forkedAt: number;
  /** How often it ended in a row without living for `STABLE_MS` in between. */
  failures: number;
}

interface Question {
  readonly workerId: number;
  readonly settle: (outcome: AdminResponse | WorkerSilentError) => void;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
const STABLE_MS = 30_000;
const MAX_QUESTIONS = 1000;

/** The workers of one service. Starts them, replaces crashed ones with backoff, asks them, stops them. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots: Slot[] = [];
  readonly #questions = new Map<number, Question>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  #nextQuestion = 1;
  #isComplete = false;
  #isStopping = false;
  #onEmpty: (() => void) | null = null;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    cluster.on('message', (worker, message: unknown) => this.#onMessage(worker, message));
    cluster.on('exit', (worker, code, signal) => this.#onExit(worker, code, signal));
    for (let index = 0; index < options.size; index += 1) {
      this.#slots.push(forkInto({ failures: 0 }));
    }
  }

  /** Whether all workers have listened once. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  get size(): number {
    return this.#options.size;
  }

  /** The workers that listen. */
  get started(): readonly Worker[] {
    return this.#slots.filter((slot) => slot.isStarted).map((slot) => slot.worker);
  }

  /** @throws WorkerSilentError after `timeoutMs`, or when the worker ends */
  ask(worker: Worker, request: AdminRequest, timeoutMs: number): Promise<AdminResponse> {
    if (this.#questions.size >= MAX_QUESTIONS) {
      return Promise.reject(new WorkerSilentError('too many questions wait for an answer'));
    }
    const id = this.#nextQuestion;
    this.#nextQuestion += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(id, new WorkerSilentError(`no answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const settle: Question['settle'] = (outcome) => {
        clearTimeout(timer);
        if (outcome instanceof WorkerSilentError) {
          reject(outcome);
        } else {
          resolve(outcome);
        }
      };
      this.#questions.set(id, { workerId: worker.id, settle });
      tell(worker, { posthorn: 'request', id, request });
    });
  }

  /** Asks every worker to stop, and kills those that still run after `deadlineMs`. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#restarts) {
      clearTimeout(timer);
    }
    const living = () => this.#slots.filter(({ worker }) => !worker.isDead());
    if (living().length === 0) {
      return;
    }
    const timer = setTimeout(() => {
      for (const { worker } of living()) {
        this.#options.log.error('worker did not stop in time', { worker: worker.id });
        worker.process.kill('SIGKILL');
      }
    }, deadlineMs);
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const { worker } of living()) {
      tell(worker, { posthorn: 'stop' });
    }
    await empty;
    clearTimeout(timer);
  }

  #onMessage(worker: Worker, message: unknown): void {
    if (!isWorkerMessage(message)) {
      return;
    }
    if (message.posthorn === 'answer') {
      this.#settle(message.id, message.answer);
      return;
    }
    const slot = this.#slots.find((candidate) => candidate.worker === worker);
    if (slot !== undefined) {
      slot.isStarted = true;
    }
    if (!this.#isComplete && this.#slots.every(({ isStarted }) => isStarted)) {
      this.#isComplete = true;
      this.#options.onComplete(message.port, message.routes);
    }
  }

  #settle(id: number, outcome: AdminResponse | WorkerSilentError): void {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    question?.settle(outcome);
  }

  #onExit(worker: Worker, exitCode: number | null, signal: string | null): void {
    for (const [id, { workerId }] of this.#questions) {
      if (workerId === worker.id) {
        this.#settle(id, new WorkerSilentError('the worker ended'));
      }
    }
    const slot = this.#slots.find((candidate) => candidate.worker === worker);
    if (slot === undefined) {
      return;
    }
    slot.isStarted = false;
    const facts = { worker: worker.id, workerPid: worker.process.pid, exitCode, signal };
    if (this.#isStopping) {
      this.#options.log.info('worker stopped', facts);
      if (this.#slots.every((other) => other.worker.isDead())) {
        this.#onEmpty?.();
      }
    } else if (!this.#isComplete) {
      this.#options.log.error('worker failed to start', facts);
      this.#options.onFailedStart();
    } else {
      this.#restart(slot, facts);
    }
  }

  #restart(slot: Slot, facts: object): void {
    slot.failures = performance.now() - slot.forkedAt > STABLE_MS ? 0 : slot.failures;
    const delayMs = Math.min(FIRST_DELAY_MS * 2 ** slot.failures, MAX_DELAY_MS);
    this.#options.log.error('worker ended, another one follows', { ...facts, delayMs });
    this.#options.onRestart();
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      Object.assign(slot, forkInto({ failures: slot.failures + 1 }));
    }, delayMs);
    this.#restarts.add(timer);
  }
}

function forkInto({ failures }: { readonly failures: number }): Slot {
  return { worker: cluster.fork(), isStarted: false, forkedAt: performance.now(), failures };
}

function tell(worker: Worker, message: PrimaryMessage): void {
  // If a worker is gone, its exit event ends its questions.
  if (worker.isConnected()) {
    worker.send(message, () => undefined);
  }
}
