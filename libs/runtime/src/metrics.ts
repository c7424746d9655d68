import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** The prefix of our own metrics. */
export const METRIC_PREFIX = 'posthorn_';

/**
 * Creates a registry with Node's default metrics (CPU, memory, event loop lag, garbage collection) and
 * `posthorn_info`, which names the service. Each service has its own, so several services can run in one process.
 */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: `${METRIC_PREFIX}info`,
    help: 'Always 1. The label names the service.',
    labelNames: ['service'],
    registers: [registry],
    aggregator: 'first',
  }).set({ service }, 1);
  return registry;
}

/** Counts the steps that failed because a store was unavailable, in either service. */
export function createStoreErrors(registry: Registry): Counter<'store'> {
  return new Counter({
    name: `${METRIC_PREFIX}store_errors_total`,
    help: 'Steps that failed because Postgres or Redis was unavailable.',
    labelNames: ['store'],
    registers: [registry],
  });
}

/** Counts receipts, in either service. */
export function createReceiptsRecorded(registry: Registry): Counter<'status'> {
  return new Counter({
    name: `${METRIC_PREFIX}receipts_total`,
    help: 'New receipts, by status.',
    labelNames: ['status'],
    registers: [registry],
  });
}
