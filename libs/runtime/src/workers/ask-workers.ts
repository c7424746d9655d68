import type { Worker } from 'node:cluster';
import {
  AggregatorRegistry,
  type MetricObjectWithValues,
  type MetricValue,
  type Registry,
} from 'prom-client';
import type { AdminRequest, AdminResponse, AdminRoute } from '../admin/admin-routes';
import { problem } from '../problems/problem';
import { readinessAnswer, unready } from '../process/readiness';
import type { RouteName } from './worker-messages';
import { type WorkerPool, WorkerSilentError } from './worker-pool';

/** The path at which a worker gives its metrics to its primary. It is never served on a port. */
export const METRICS_JSON = '/metrics.json';
const READY_TIMEOUT_MS = 4000;
const METRICS_TIMEOUT_MS = 3000;
const SERVICE_TIMEOUT_MS = 10_000;

/** A route of the service itself: one worker answers for all. */
export function forwarded({ method, path }: RouteName, pool: () => WorkerPool | null): AdminRoute {
  let turn = 0;
  return {
    method,
    path,
    handle: async (request) => {
      const workers = pool()?.started ?? [];
      const worker = workers[turn % Math.max(workers.length, 1)];
      turn += 1;
      const answer =
        worker === undefined ? null : await answerOf(pool(), worker, request, SERVICE_TIMEOUT_MS);
      if (answer === null) {
        throw problem('unavailable', { detail: 'No worker answered.' });
      }
      return answer;
    },
  };
}

/** `GET /readyz` of all workers. The worst answer decides, and the body also lists each worker's answer. */
export async function readinessOf(pool: WorkerPool): Promise<AdminResponse> {
  const workers = pool.started;
  if (workers.length === 0) {
    return readinessAnswer(unready('workers', 'none is running'));
  }
  const request: AdminRequest = { method: 'GET', path: '/readyz', body: undefined };
  const answers = await Promise.all(
    workers.map(async (worker) => {
      const answer = await answerOf(pool, worker, request, READY_TIMEOUT_MS);
      return [String(worker.id), answer ?? readinessAnswer(unready('worker', 'no answer'))] as const;
    }),
  );
  const running =
    workers.length < pool.size ? { workers: `${workers.length} of ${pool.size} are running` } : {};
  return readinessAnswer(
    {
      ready: answers.every(([, { status }]) => status === 200),
      missing: merged(answers, 'missing'),
      degraded: { ...merged(answers, 'degraded'), ...running },
    },
    { workers: Object.fromEntries(answers.map(([id, { body }]) => [id, body])) },
  );
}

/** Merges the `field` of the workers' readiness bodies. The first worker that has a name gives its sentence. */
function merged(
  answers: readonly (readonly [string, AdminResponse])[],
  field: 'missing' | 'degraded',
): Record<string, string> {
  const sentences = answers.flatMap(([, { body }]) => {
    const part: unknown = isObject(body) ? body[field] : null;
    return isObject(part) ? Object.entries(part) : [];
  });
  return Object.fromEntries(sentences.toReversed().map(([name, sentence]) => [name, String(sentence)]));
}

/** `GET /metrics` of all workers, added up. A worker that does not answer is left out. */
export async function metricsOf(pool: WorkerPool | null, own: Registry): Promise<string> {
  const request: AdminRequest = { method: 'GET', path: METRICS_JSON, body: undefined };
  const answers = await Promise.all(
    (pool?.started ?? []).map((worker) => answerOf(pool, worker, request, METRICS_TIMEOUT_MS)),
  );
  const lists = answers.map((answer) => answer?.body).filter(isMetricList);
  // Uses our own channel, because with prom-client's one silent worker fails the whole scrape.
  return AggregatorRegistry.aggregate([...lists, await own.getMetricsAsJSON()]).metrics();
}

/** The worker's answer; `null` if it does not answer. */
async function answerOf(
  pool: WorkerPool | null,
  worker: Worker,
  request: AdminRequest,
  timeoutMs: number,
): Promise<AdminResponse | null> {
  try {
    return (await pool?.ask(worker, request, timeoutMs)) ?? null;
  } catch (error) {
    if (error instanceof WorkerSilentError) {
      return null;
    }
    throw error;
  }
}

function isMetricList(body: unknown): body is MetricObjectWithValues<MetricValue<string>>[] {
  return Array.isArray(body);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
