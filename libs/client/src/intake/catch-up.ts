import { DEFAULT_INBOX_PAGE, type InboxItem, type SkippedRange } from '@posthorn/protocol';
import type { Api } from '../http/api.ts';
import { type StepResult, Worker } from '../outbox/worker.ts';
import type { Intake } from './intake.ts';

/** A page of an inbox, in the form of send-api's answer. */
interface InboxPage {
  items: InboxItem[];
  skipped?: SkippedRange[];
  lastSeq: number;
}

/** The callbacks of a catch-up. */
export interface CatchUpHost {
  /** A page came. */
  onPage(): void;
  onFailed(why: string): void;
  /** The inbox ends before the client's position, so it was restored from a backup. */
  onRewound(lastSeq: number): void;
}

const EVERY_MS = 4_000;
/** The wait while the application still works on earlier messages. */
const BUSY_MS = 50;

/**
 * Reads the inbox over HTTP (PROTOCOL §4.5) while no WebSocket can be opened: page by page, then every few seconds.
 * It does not move the cursor on the server. The client keeps its own cursor and acknowledges it on the next
 * connection.
 */
export class CatchUp {
  readonly #api: Api;
  readonly #intake: Intake;
  readonly #host: CatchUpHost;
  readonly #everyMs: number;
  #worker: Worker | undefined;
  #isCaughtUp = false;

  constructor(api: Api, intake: Intake, host: CatchUpHost, everyMs = EVERY_MS) {
    this.#api = api;
    this.#intake = intake;
    this.#host = host;
    this.#everyMs = everyMs;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  start(): void {
    if (this.#worker !== undefined) {
      this.#worker.wake();
      return;
    }
    this.#isCaughtUp = false;
    const worker: Worker = new Worker(() => this.#read(() => this.#worker === worker));
    this.#worker = worker;
    worker.kick();
  }

  stop(): void {
    this.#worker?.stop();
    this.#worker = undefined;
  }

  async #read(isWanted: () => boolean): Promise<StepResult> {
    if (this.#intake.waiting >= DEFAULT_INBOX_PAGE) return { laterMs: BUSY_MS };
    // If no gateway has said where this device stands, it starts at the beginning of the inbox.
    if (this.#intake.position === undefined) this.#intake.begin({ epoch: null, seq: 0 }, false);
    const after = this.#intake.position?.seq ?? 0;
    const path = `/v1/inbox?after=${after}&limit=${DEFAULT_INBOX_PAGE}`;
    const answer = await this.#api.ask({ method: 'GET', path });
    if (!isWanted()) return 'idle';
    if (answer.kind !== 'done') {
      this.#host.onFailed(answer.kind === 'later' ? answer.why : answer.problem.detail);
      return { laterMs: answer.kind === 'later' ? answer.waitMs : undefined };
    }
    const { items, skipped = [], lastSeq } = answer.body as InboxPage;
    if (lastSeq < after) {
      this.#host.onRewound(lastSeq);
      return { laterMs: this.#everyMs };
    }
    this.#take(items, skipped);
    this.#host.onPage();
    const position = this.#intake.position?.seq ?? 0;
    if (position > after && position < lastSeq) return 'more';
    if (!this.#isCaughtUp) this.#intake.markCaughtUp();
    this.#isCaughtUp = true;
    // Random, so that not all clients poll at the same moment.
    return { laterMs: this.#everyMs * (0.75 + Math.random() / 2) };
  }

  /** Merges messages and skipped ranges in the order of the inbox. */
  #take(items: readonly InboxItem[], skipped: readonly SkippedRange[]): void {
    let next = 0;
    for (const { seq, message } of items) {
      for (; (skipped[next]?.from ?? seq) < seq; next++) this.#skip(skipped[next]);
      this.#intake.offer({ seq, message });
    }
    for (; next < skipped.length; next++) this.#skip(skipped[next]);
  }

  #skip(range: SkippedRange | undefined): void {
    if (range !== undefined) this.#intake.offerSkipped(range);
  }
}
