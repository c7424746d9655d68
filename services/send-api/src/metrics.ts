import { createReceiptsRecorded, createStoreErrors } from '@posthorn/runtime';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The outcome of a `POST /v1/messages`. */
export type SendOutcome =
  | 'accepted'
  | 'replayed'
  | 'conflict'
  | 'malformed'
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'rate_limited'
  | 'unavailable'
  | 'overloaded'
  | 'aborted'
  | 'error';

/** The metrics of send-api. All label values come from closed sets. */
export interface SendApiMetrics {
  readonly sends: Counter<'outcome'>;
  readonly recipients: Histogram;
  readonly commitSeconds: Histogram;
  readonly batchMessages: Histogram;
  readonly routeSeconds: Histogram;
  readonly routedEntries: Counter<'result'>;
  readonly requests: Counter<'method' | 'route' | 'status'>;
  readonly purgedKeys: Counter;
  readonly partitionChanges: Counter<'change'>;
  readonly partitionsOverdue: Gauge;
  readonly receipts: Counter<'status'>;
  readonly storeErrors: Counter<'store'>;
}

/** Registers all metrics except the gauge of `watchPendingSends`. */
export function createSendApiMetrics(registry: Registry): SendApiMetrics {
  const registers = [registry];
  return {
    sends: new Counter({
      name: 'posthorn_sends_total',
      help: 'POST /v1/messages requests, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    recipients: new Histogram({
      name: 'posthorn_message_recipients',
      help: 'Different recipients of an accepted message.',
      buckets: [1, 2, 5, 10, 50, 100, 500, 1000, 5000],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'posthorn_commit_seconds',
      help: 'Time that Postgres takes to commit or refuse a batch of messages.',
      buckets: SECONDS,
      registers,
    }),
    batchMessages: new Histogram({
      name: 'posthorn_commit_batch_messages',
      help: 'Messages per commit.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    }),
    routeSeconds: new Histogram({
      name: 'posthorn_route_seconds',
      help: 'Time to route a committed batch through Redis.',
      buckets: SECONDS,
      registers,
    }),
    routedEntries: new Counter({
      name: 'posthorn_routed_entries_total',
      help: 'Inbox entries, by route: published to a gateway, listed in the offline list, or unknown (left to reconcile).',
      labelNames: ['result'],
      registers,
    }),
    requests: new Counter({
      name: 'posthorn_http_requests_total',
      help: 'HTTP answers, by method, route and status. The route of an unknown path is "none".',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    purgedKeys: new Counter({
      name: 'posthorn_purged_idempotency_keys_total',
      help: 'Idempotency keys deleted after 24 hours.',
      registers,
    }),
    partitionChanges: new Counter({
      name: 'posthorn_partition_changes_total',
      help: 'Partitions of messages that were added ahead of time or dropped after RETENTION_DAYS.',
      labelNames: ['change'],
      registers,
    }),
    partitionsOverdue: new Gauge({
      name: 'posthorn_partitions_overdue',
      help: 'Partitions that should have been added or dropped by now, as of the last check (at most an hour ago).',
      registers,
    }),
    receipts: createReceiptsRecorded(registry),
    storeErrors: createStoreErrors(registry),
  };
}

/** Registers the gauge of waiting sends. It calls `countPending` at each scrape. */
export function watchPendingSends(registry: Registry, countPending: () => number): void {
  const gauge: Gauge = new Gauge({
    name: 'posthorn_pending_sends',
    help: 'Messages that wait for their commit, including those in flight.',
    registers: [registry],
    collect: () => gauge.set(countPending()),
  });
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
