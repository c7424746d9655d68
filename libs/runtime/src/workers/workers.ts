import { Counter, Registry } from 'prom-client';
import type { AdminRoute } from '../admin/admin-routes';
import { AdminServer } from '../admin/admin-server';
import type { Logger } from '../log/logger';
import { METRIC_PREFIX } from '../metrics';
import { ProcessExit } from '../process/process-exit';
import { readinessAnswer, unready } from '../process/readiness';
import { type CreateService, logFailedStart, STOP_SLACK_MS, startService } from '../process/start-service';
import type { CommonSettings } from '../settings/settings';
import { forwarded, METRICS_JSON, metricsOf, readinessOf } from './ask-workers';
import { WorkerLink } from './worker-link';
import { WorkerPool } from './worker-pool';

/**
 * The primary of `WORKERS` processes. It serves the admin port by asking the workers, and stops them. It serves no
 * other traffic.
 */
export async function runPrimary(settings: CommonSettings, log: Logger): Promise<void> {
  const own = new Registry();
  const restarts = new Counter({
    name: `${METRIC_PREFIX}worker_restarts_total`,
    help: 'Workers that ended unasked and were started again.',
    registers: [own],
  });
  let admin: AdminServer | null = null;
  let pool: WorkerPool | null = null;
  let isStopping = false;
  const deadlineMs = settings.drainMs + STOP_SLACK_MS;
  const exit = new ProcessExit({
    log,
    // The workers' own deadline ends first, so that they can log what hung.
    deadlineMs: deadlineMs + 2000,
    stop: async () => {
      isStopping = true;
      await pool?.stop(deadlineMs + 1500);
      await admin?.close();
    },
  });

  const livez: AdminRoute = {
    method: 'GET',
    path: '/livez',
    handle: async () => ({ status: 200, body: { status: 'alive' } }),
  };
  const readyz: AdminRoute = {
    method: 'GET',
    path: '/readyz',
    handle: async () => {
      if (isStopping) {
        return readinessAnswer(unready('draining', 'this process is stopping'));
      }
      return pool?.isComplete === true
        ? readinessOf(pool)
        : readinessAnswer(
            unready('starting', `${pool?.started.length ?? 0} of ${settings.workers} workers listen`),
          );
    },
  };
  const metrics: AdminRoute = {
    method: 'GET',
    path: '/metrics',
    handle: async () => ({
      status: 200,
      body: await metricsOf(pool, own),
      contentType: own.contentType,
    }),
  };
  try {
    admin = await AdminServer.listen({ port: settings.adminPort, routes: [livez, readyz, metrics], log });
  } catch (error) {
    logFailedStart(log, error);
    exit.begin('failed start', 1);
    return;
  }
  const { port: adminPort } = admin;
  pool = new WorkerPool({
    size: settings.workers,
    log,
    onComplete: (port, routes) => {
      admin?.addRoutes(routes.map((route) => forwarded(route, () => pool)));
      log.info('listening', { port, adminPort, pid: process.pid, workers: settings.workers });
    },
    onFailedStart: () => exit.begin('failed start', 1),
    onRestart: () => restarts.inc(),
  });
}

/** One worker: the service itself, with the channel to its primary instead of an admin port. */
export async function runWorker<S extends CommonSettings>(
  name: string,
  settings: S,
  log: Logger,
  create: CreateService<S>,
): Promise<void> {
  let exit: ProcessExit | null = null;
  await startService({
    name,
    settings,
    log,
    create,
    isWorker: true,
    onExit: (created) => {
      exit = created;
    },
    openAdmin: async (routes, metrics) => {
      const metricsJson: AdminRoute = {
        method: 'GET',
        path: METRICS_JSON,
        handle: async () => ({ status: 200, body: await metrics.getMetricsAsJSON() }),
      };
      return new WorkerLink([...routes, metricsJson], log, () => exit?.begin('primary', 0));
    },
    onStarted: ({ port, adminRoutes = [] }, link) => {
      link.started(port, adminRoutes);
      log.info('worker listening', { port, pid: process.pid });
    },
  });
}
