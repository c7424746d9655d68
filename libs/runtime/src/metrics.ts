import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What the names of our own metrics begin with. */
export const METRIC_PREFIX = 'posthorn_';

/**
 * A registry of its own, so that several services can live in one process: Node's default metrics (CPU, memory,
 * event loop lag, garbage collection) and `posthorn_info`, which names the service.
 */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: `${METRIC_PREFIX}info`,
    help: 'Always 1; its label names the service.',
    labelNames: ['service'],
    registers: [registry],
    aggregator: 'first',
  }).set({ service }, 1);
  return registry;
}
