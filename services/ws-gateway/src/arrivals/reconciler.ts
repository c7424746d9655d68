import { compareInboxes, type InboxDatabase } from '@posthorn/inbox';
import type { Logger } from '@posthorn/runtime';
import type { ConnectionTable } from '../holding/connection-table';
import type { GatewayMetrics } from '../metrics';
import type { Session } from '../session/session';
import { isUnavailable } from '../unavailable';

/** What reconcile needs. */
export interface ReconcilerOptions {
  db: InboxDatabase;
  table: ConnectionTable;
  intervalMs: number;
  metrics: GatewayMetrics;
  log: Logger;
  /** Only reconcile found a message of this user, so what Redis knows about the user may be wrong. */
  onRepair(user: string): void;
  /** The session is outdated: the inboxes got a new epoch, or Postgres does not know its claim of the device. */
  onPast(session: Session): void;
  /** The session has an acknowledgement that is not committed yet. */
  onAckWaiting(session: Session): void;
}

/** What a comparison found. It is checked again after `GRACE_MS`. */
interface Found {
  behind: { session: Session; newest: number }[];
  overtaken: Session[];
}

const CHUNK = 2_000;
/** A message that was committed a moment ago is probably still on its way. After this time it counts as lost. */
const GRACE_MS = 250;
/** Sessions that open within this time are compared together. */
const LATE_MS = 50;

/**
 * Compares what the sessions know with the inboxes in Postgres, one query for many sessions. It runs at every interval
 * and whenever something may have been lost, for example when Redis comes back. So a message whose routing was lost
 * waits at most `RECONCILE_INTERVAL_MS`.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #isWanted = false;
  #isStopped = false;
  /** Sessions that were claiming their device when a round began. The round did not compare them. */
  #passedOver = new WeakSet<Session>();
  #late = new Set<Session>();
  #lateTimer: NodeJS.Timeout | null = null;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Starts a round now. If one is under way, another one follows it. */
  run(): void {
    if (this.#isStopped) return;
    for (const session of this.#options.table.all())
      if (session.state === 'claiming') this.#passedOver.add(session);
    if (this.#running !== null) {
      this.#isWanted = true;
      return;
    }
    this.#isWanted = false;
    this.#running = this.#reconcile([...this.#options.table.all()]).finally(() => {
      this.#running = null;
      if (this.#isWanted) this.run();
    });
  }

  /**
   * The session is open. If a round passed it over during its claim, it is compared now. Otherwise a message that was
   * lost during the claim would wait for the next interval.
   */
  opened(session: Session): void {
    if (this.#isStopped || !this.#passedOver.delete(session)) return;
    this.#late.add(session);
    this.#lateTimer ??= setTimeout(() => {
      this.#lateTimer = null;
      const sessions = [...this.#late];
      this.#late.clear();
      void this.#reconcile(sessions);
    }, LATE_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#lateTimer !== null) clearTimeout(this.#lateTimer);
    await this.#running;
  }

  /** The delay is random, so that gateways do not all query at once. Repairs still happen within the interval. */
  #schedule(): void {
    const delay = Math.max(0, this.#options.intervalMs - GRACE_MS) * (0.8 + 0.2 * Math.random());
    this.#timer = setTimeout(() => {
      this.run();
      this.#schedule();
    }, delay);
  }

  async #reconcile(held: readonly Session[]): Promise<void> {
    const sessions = held.filter(({ state }) => state === 'draining' || state === 'live');
    const found: Found = { behind: [], overtaken: [] };
    await this.#inChunks(sessions, (chunk) => this.#compare(chunk, found));
    if (found.behind.length + found.overtaken.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, GRACE_MS));
    for (const { session, newest } of found.behind) this.#repair(session, newest);
    await this.#inChunks(found.overtaken, (chunk) => this.#endOvertaken(chunk));
  }

  /** Works chunk by chunk. A chunk that fails does not stop the others. */
  async #inChunks(
    sessions: readonly Session[],
    work: (chunk: readonly Session[]) => Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < sessions.length; from += CHUNK) {
      try {
        await work(sessions.slice(from, from + CHUNK));
      } catch (error) {
        this.#options.log[isUnavailable(error) ? 'warn' : 'error']('reconcile postponed', { error });
      }
    }
  }

  /** Ends outdated sessions. Finds sessions that miss the newest entry, or whose device has a newer claim. */
  async #compare(sessions: readonly Session[], { behind, overtaken }: Found): Promise<void> {
    const { epoch, devices } = await compareInboxes(this.#options.db, sessions);
    for (const [index, session] of sessions.entries()) {
      const state = devices[index];
      if (state === undefined || session.state === 'closed') continue;
      if (session.epoch !== epoch || state.fence === null || state.fence < (session.fence ?? 0)) {
        this.#options.onPast(session);
        continue;
      }
      if (state.fence > (session.fence ?? 0)) overtaken.push(session);
      if (session.ackWanted > session.ackCommitted) this.#options.onAckWaiting(session);
      if (state.newestSeq > (session.delivery?.newest ?? 0))
        behind.push({ session, newest: state.newestSeq });
      else session.pump();
    }
  }

  /** Ends the sessions whose device still has a newer claim. Since the first look that claim may have been undone. */
  async #endOvertaken(sessions: readonly Session[]): Promise<void> {
    const { epoch, devices } = await compareInboxes(this.#options.db, sessions);
    for (const [index, session] of sessions.entries()) {
      const fence = devices[index]?.fence ?? null;
      if (fence !== null) session.takeOver(fence, epoch);
    }
  }

  #repair(session: Session, newest: number): void {
    const known = session.delivery?.newest ?? newest;
    if (session.state === 'closed' || known >= newest) return;
    this.#options.metrics.reconcileRepairs.inc(newest - known);
    session.learn(newest, session.epoch ?? '');
    session.pump();
    this.#options.onRepair(session.user);
  }
}
