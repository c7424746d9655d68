import {
  type AcceptedMessage,
  type AcceptOutcome,
  GroupCommit,
  LOCK_WAITS,
  locksOfSend,
  type NewMessage,
  OutageError,
} from '@posthorn/inbox';
import type { RouteSummary } from '@posthorn/routing';
import type { Tracing } from '@posthorn/runtime';
import { answerWithin } from '../answer-within';
import type { SendApiMetrics } from '../metrics';
import type { SendApiWaits } from '../send-api-waits';

/** What the committer needs of the stores. */
export interface CommitterOptions {
  /** Commits a batch; an item's own error is its outcome. `lock`: what the batch is known to wait for. */
  readonly accept: (
    sends: readonly NewMessage[],
    lock: string | null,
  ) => Promise<readonly (AcceptOutcome | Error)[]>;
  /** Routes what was committed, within a bounded time. */
  readonly route: (accepted: readonly AcceptedMessage[]) => Promise<RouteSummary>;
  /** Recipients that one message may have. */
  readonly maxRecipients: number;
  readonly waits: Pick<SendApiWaits, 'postgresMs' | 'lockedRowMs'>;
  readonly metrics: SendApiMetrics;
  readonly tracing: Tracing | null;
  /** Told when routing failed for a reason of its own; the messages are committed all the same. */
  readonly onRouteError: (error: unknown) => void;
}

/** The outcome of one message, and the end of its batch's routing, which never rejects. */
export interface Commit {
  readonly outcome: AcceptOutcome;
  readonly routed: Promise<void>;
}

interface WaitingSend {
  readonly send: NewMessage;
  readonly deadline: number;
}

/** Messages with more recipients than this are wide. */
const NARROW_RECIPIENTS = 20;
const NARROW_BATCH = 256;
const MAX_WAITING_NARROW = 4_096;
/** About as many inbox entries as Postgres writes in one quick statement. */
const WIDE_BATCH_ENTRIES = 5_000;
const MAX_WAITING_WIDE = 512;
const LOCKED_CONCURRENCY = 2;
const MAX_WAITING_LOCKED = 1_024;

/**
 * Group commit of messages, then routing (PROTOCOL §4.1). Messages to many are committed apart, so that a message to
 * one user does not wait behind messages to thousands.
 */
export class MessageCommitter {
  readonly #options: CommitterOptions;
  readonly #commits: GroupCommit<WaitingSend, Commit>;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#commits = new GroupCommit({
      name: 'narrow sends',
      maxBatch: NARROW_BATCH,
      maxPending: MAX_WAITING_NARROW,
      wide: {
        name: 'wide sends',
        isWide: ({ send }) => send.to.length > NARROW_RECIPIENTS,
        maxBatch: Math.max(1, Math.floor(WIDE_BATCH_ENTRIES / options.maxRecipients)),
        maxPending: MAX_WAITING_WIDE,
      },
      commitBatch: (items, lock) => this.#commitBatch(items, lock),
      locksOf: ({ send }) => locksOfSend(send),
      maxLocked: MAX_WAITING_LOCKED,
      lockedConcurrency: LOCKED_CONCURRENCY,
      expired,
      waits: { ...LOCK_WAITS, laneMs: options.waits.lockedRowMs },
    });
  }

  /** Messages that wait for their commit. */
  get pending(): number {
    return this.#commits.pending;
  }

  /**
   * Commits one message together with others.
   *
   * @throws OutageError when Postgres is out of reach or too slow: the outcome is unknown
   * @throws OverloadedError when too many wait: nothing was done
   */
  async commit(send: NewMessage): Promise<Commit> {
    const { postgresMs } = this.#options.waits;
    const deadline = performance.now() + postgresMs;
    return await answerWithin(postgresMs, this.#commits.add({ send, deadline }));
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#commits.idle();
  }

  async #commitBatch(items: readonly WaitingSend[], lock: string | null): Promise<(Commit | Error)[]> {
    const { accept, metrics } = this.#options;
    const sends = items.map(({ send }) => send);
    metrics.batchMessages.observe(sends.length);
    const startMs = Date.now();
    const stopTimer = metrics.commitSeconds.startTimer();
    const outcomes = await accept(sends, lock).finally(stopTimer);
    const accepted = outcomes.filter(isAccepted);
    this.#trace('commit', 'internal', accepted, startMs);
    const routed = accepted.length === 0 ? NOTHING_TO_ROUTE : this.#route(accepted);
    return outcomes.map((outcome) => (outcome instanceof Error ? outcome : { outcome, routed }));
  }

  async #route(accepted: readonly AcceptedMessage[]): Promise<void> {
    const { route, metrics, onRouteError } = this.#options;
    const startMs = Date.now();
    const stopTimer = metrics.routeSeconds.startTimer();
    try {
      for (const [result, entries] of Object.entries(await route(accepted))) {
        metrics.routedEntries.inc({ result }, entries);
      }
    } catch (error) {
      onRouteError(error);
    } finally {
      stopTimer();
      this.#trace('route', 'producer', accepted, startMs);
    }
  }

  /** A span for each message of a batch that is traced. */
  #trace(
    name: 'commit' | 'route',
    kind: 'internal' | 'producer',
    batch: readonly AcceptedMessage[],
    startMs: number,
  ): void {
    const { tracing } = this.#options;
    if (tracing === null) return;
    const endMs = Date.now();
    for (const { trace: parent, message, entries } of batch) {
      if (parent === undefined) continue;
      const attributes = {
        'messaging.message.id': message.id,
        'messaging.batch.message_count': batch.length,
        'posthorn.recipients': entries.length,
      };
      tracing.record({ name, kind, parent, startMs, endMs, attributes });
    }
  }
}

const NOTHING_TO_ROUTE = Promise.resolve();

function expired({ deadline }: WaitingSend): Error | null {
  return performance.now() < deadline ? null : new OutageError('waited too long for Postgres');
}

function isAccepted(outcome: AcceptOutcome | Error): outcome is AcceptedMessage {
  return !(outcome instanceof Error) && outcome.kind === 'accepted';
}
