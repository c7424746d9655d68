import { createReceiptsRecorded, createStoreErrors, METRIC_PREFIX } from '@posthorn/runtime';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ConnectionTable } from './holding/connection-table';
import type { Session } from './session/session';

const LAG_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The metrics of ws-gateway. docs/metrics.md explains every name. */
export interface GatewayMetrics {
  deliveries: Counter<'source'>;
  deliveryLag: Histogram;
  skipped: Counter;
  gapFills: Counter;
  reconcileRepairs: Counter;
  upgrades: Counter<'status'>;
  closes: Counter<'code'>;
  badFrames: Counter<'code'>;
  acks: Counter<'outcome'>;
  receipts: Counter<'status'>;
  droppedNews: Counter;
  incomplete: Counter;
  rubbish: Counter;
  trimmed: Counter;
  storeErrors: Counter<'store'>;
}

/** Registers the metrics. Gauges are computed at each scrape. */
export function createGatewayMetrics(registry: Registry, table: ConnectionTable): GatewayMetrics {
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []): Counter<L> =>
    new Counter({ name: `${METRIC_PREFIX}${name}`, help, labelNames, registers });

  gauge(registry, 'connections', 'Open connections, including those being opened.', () => table.size);
  gauge(registry, 'buffered_bytes', 'Unsent bytes of all connections.', () => sum(table, bufferedBytes));
  gauge(registry, 'in_flight_messages', 'Messages sent but not yet acknowledged.', () =>
    sum(table, inFlight),
  );
  gauge(registry, 'full_windows', 'Connections that wait for an acknowledgement.', () => sum(table, isFull));

  return {
    deliveries: counter('deliveries_total', 'Messages written to sockets, by source.', ['source']),
    deliveryLag: new Histogram({
      name: `${METRIC_PREFIX}delivery_lag_seconds`,
      help: 'Time from the commit of a live message to its write to the socket.',
      buckets: LAG_BUCKETS_S,
      registers,
    }),
    skipped: counter(
      'skipped_entries_total',
      'Deleted entries that were reported to devices as skipped. 0 without RETENTION_DAYS.',
    ),
    gapFills: counter('gap_fills_total', 'Holes among live messages that were filled from Postgres.'),
    reconcileRepairs: counter(
      'reconcile_repairs_total',
      'Messages that only reconcile found. 0 without faults.',
    ),
    upgrades: counter('upgrades_total', 'Answers to upgrade requests, by status.', ['status']),
    closes: counter(
      'closes_total',
      'Closed connections, by close code. 0: the peer closed it, or it broke.',
      ['code'],
    ),
    badFrames: counter('bad_frames_total', 'Bad frames, by the code of the error frame.', ['code']),
    acks: counter('acks_total', 'Acknowledgements, by outcome.', ['outcome']),
    receipts: createReceiptsRecorded(registry),
    droppedNews: counter(
      'dropped_receipt_frames_total',
      'Receipt frames that were not sent. The receipts are stored.',
    ),
    incomplete: counter(
      'incomplete_messages_total',
      'Messages sent without their data, because it could not be encoded.',
    ),
    rubbish: counter('rubbish_notices_total', 'Invalid notices on the channel of this gateway.'),
    trimmed: counter('trimmed_entries_total', 'Entries trimmed from offline lists.'),
    storeErrors: createStoreErrors(registry),
  };
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const metric: Gauge = new Gauge({
    name: `${METRIC_PREFIX}${name}`,
    help,
    registers: [],
    collect: () => metric.set(read()),
  });
  registry.registerMetric(metric);
}

function sum(table: ConnectionTable, value: (session: Session) => number): number {
  let total = 0;
  for (const session of table.all()) total += value(session);
  return total;
}

function bufferedBytes(session: Session): number {
  return session.transport?.bufferedBytes ?? 0;
}

function inFlight(session: Session): number {
  return session.delivery?.inFlight ?? 0;
}

function isFull(session: Session): number {
  return (session.delivery?.room ?? 1) <= 0 ? 1 : 0;
}
