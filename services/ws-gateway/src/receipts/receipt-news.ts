import { Batcher, OverloadedError } from '@posthorn/inbox';
import type { ReceiptNews } from '@posthorn/protocol';
import type { Notifier } from '@posthorn/routing';
import type { ConnectionTable } from '../holding/connection-table';
import type { GatewayMetrics } from '../metrics';

/** How many news items may wait. Further ones are dropped: the receipts themselves are stored. */
const MAX_PENDING = 20_000;
/** News gathers for this long, so that several acknowledgements for one sender need one lookup of its gateways. */
const PACE_MS = 20;

/** Sends receipts to their senders: directly to connections here, and over the channels of other gateways. */
export class ReceiptTeller {
  readonly #table: ConnectionTable;
  readonly #metrics: GatewayMetrics;
  readonly #elsewhere: Batcher<ReceiptNews, true>;

  constructor(gateway: string, table: ConnectionTable, notifier: Notifier, metrics: GatewayMetrics) {
    this.#table = table;
    this.#metrics = metrics;
    this.#elsewhere = new Batcher({
      name: 'receipt news',
      maxBatch: 500,
      maxPending: MAX_PENDING,
      concurrency: 1,
      paceMs: PACE_MS,
      run: async (news) => {
        const isTold = await notifier.publishReceipts(news, gateway);
        if (!isTold) metrics.droppedNews.inc(news.length);
        return news.map(() => true as const);
      },
    });
  }

  /** Sends news of receipts that were just recorded. */
  tell(news: readonly ReceiptNews[]): void {
    for (const item of news) {
      this.#metrics.receipts.inc({ status: item.status });
      this.#elsewhere.submit(item).catch((error: unknown) => {
        if (!(error instanceof OverloadedError)) throw error;
        this.#metrics.droppedNews.inc();
      });
    }
    this.tellHere(news);
  }

  /** Sends receipt frames to the senders' connections on this gateway. */
  tellHere(news: readonly ReceiptNews[]): void {
    for (const { sender, messageId: id, user, status, at } of news) {
      for (const session of this.#table.of(sender)) {
        if (!session.sendNews({ type: 'receipt', id, user, status, at })) this.#metrics.droppedNews.inc();
      }
    }
  }

  /** Resolves when no news for other gateways is waiting. */
  idle(): Promise<void> {
    return this.#elsewhere.idle();
  }
}
