import { findLowestCursors, type InboxDatabase, OutageError } from '@posthorn/inbox';
import type { OfflineList } from '@posthorn/routing';
import type { GatewayMetrics } from '../metrics';

const CHUNK = 500;
/** How many users may wait for a trim. Lists of others wait for an acknowledgement, their cap or their expiry. */
const MAX_MARKED = 100_000;

/** Trims offline lists after acknowledgements, to the entries that some known device still lacks (PROTOCOL §6.2). */
export class ListTrimmer {
  readonly #db: InboxDatabase;
  readonly #list: OfflineList;
  readonly #metrics: GatewayMetrics;
  readonly #marked = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | null = null;

  constructor(db: InboxDatabase, list: OfflineList, metrics: GatewayMetrics, intervalMs: number) {
    this.#db = db;
    this.#list = list;
    this.#metrics = metrics;
    this.#timer = setInterval(() => void this.#run(), intervalMs);
  }

  /** A device of this user has moved its cursor. */
  mark(user: string): void {
    if (this.#marked.size < MAX_MARKED) this.#marked.add(user);
  }

  /** Trims the marked lists one last time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#run();
  }

  async #run(): Promise<void> {
    this.#running ??= this.#trimAll().finally(() => {
      this.#running = null;
    });
    await this.#running;
  }

  async #trimAll(): Promise<void> {
    const users = [...this.#marked];
    for (let from = 0; from < users.length; from += CHUNK) {
      const chunk = users.slice(from, from + CHUNK);
      for (const user of chunk) this.#marked.delete(user);
      try {
        const { waiting, unreached } = await this.#list.findNonEmpty(chunk);
        for (const user of unreached) this.mark(user);
        if (waiting.length === 0) continue;
        const trimmed = await this.#list.trim(await findLowestCursors(this.#db, waiting));
        this.#metrics.trimmed.inc(trimmed.dropped);
        for (const user of trimmed.unreached) this.mark(user);
      } catch (error) {
        if (!(error instanceof OutageError)) throw error;
        for (const user of chunk) this.mark(user);
        return;
      }
    }
  }
}
