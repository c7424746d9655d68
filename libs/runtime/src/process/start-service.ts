import type { Registry } from 'prom-client';
import type { AdminRoute } from '../admin/admin-routes';
import type { Logger } from '../log/logger';
import { createMetrics } from '../metrics';
import type { CommonSettings } from '../settings/settings';
import { openTracing } from '../tracing/open-tracing';
import type { Tracing } from '../tracing/tracing';
import { Lifecycle } from './lifecycle';
import { ProcessExit } from './process-exit';
import { healthRoutes, type ReadinessCheck, unready } from './readiness';

/** What a service is created with. */
export interface ServiceContext<S extends CommonSettings> {
  readonly settings: S;
  readonly log: Logger;
  readonly life: Lifecycle;
  readonly metrics: Registry;
  /** Null if tracing is off. */
  readonly tracing: Tracing | null;
}

/** A service that listens. The context's `life` releases what it acquired. */
export interface RunningService {
  /** The public port. */
  readonly port: number;
  readonly readiness: ReadinessCheck;
  readonly adminRoutes?: readonly AdminRoute[];
}

export type CreateService<S extends CommonSettings> = (context: ServiceContext<S>) => Promise<RunningService>;

/** Serves the admin routes: a port, or in a worker the channel to its primary. */
export interface AdminTransport {
  addRoutes(routes: readonly AdminRoute[]): void;
  close(): Promise<void>;
}

export interface StartOptions<S extends CommonSettings, A extends AdminTransport> {
  readonly name: string;
  readonly settings: S;
  readonly log: Logger;
  readonly create: CreateService<S>;
  readonly openAdmin: (routes: readonly AdminRoute[], metrics: Registry) => Promise<A>;
  /** Called once the service listens. */
  readonly onStarted: (service: RunningService, admin: A) => void;
  /** Called before anything can fail, with the object that ends this process. */
  readonly onExit?: (exit: ProcessExit) => void;
  readonly isWorker?: boolean;
}

/** Extra time for a stop after `DRAIN_MS`: commits, presence, connections to the stores. */
export const STOP_SLACK_MS = 5000;

/**
 * Creates a service in this process. The admin routes start first, so that probes can see a start that waits, and
 * they stop last. A failed start is logged and undone, and the process ends with code 1.
 */
export async function startService<S extends CommonSettings, A extends AdminTransport>(
  options: StartOptions<S, A>,
): Promise<void> {
  const { settings, log, create } = options;
  const life = new Lifecycle(log);
  const metrics = createMetrics(options.name);
  let admin: A | null = null;
  let service: RunningService | null = null;
  let isStarting = true;

  const deadlineMs = settings.drainMs + STOP_SLACK_MS;
  const exit = new ProcessExit({
    log,
    deadlineMs,
    isWorker: options.isWorker ?? false,
    stop: async () => {
      await life.stop(deadlineMs);
      await admin?.close();
      if (isStarting) {
        // The stop began before this start finished. Nothing waits for it, so the process ends here.
        setImmediate(() => process.exit());
      }
    },
  });
  options.onExit?.(exit);

  const readiness: ReadinessCheck = async () => {
    if (life.stopping) {
      return unready('draining', 'this process is stopping');
    }
    return service === null ? unready('starting', 'this process is starting') : service.readiness();
  };
  try {
    admin = await options.openAdmin(healthRoutes(readiness, metrics), metrics);
    const onFault = (reason: string): void => {
      log.warn('traces could not be exported', { reason });
    };
    const tracing = await openTracing(options.name, settings.otlpEndpoint, onFault);
    // Registered before everything else, so it closes last and exports the spans of the other steps.
    life.onStop('tracing', () => tracing?.close());
    service = await create({ settings, log, life, metrics, tracing });
    isStarting = false;
    if (!life.stopping) {
      admin.addRoutes(service.adminRoutes ?? []);
      options.onStarted(service, admin);
    }
  } catch (error) {
    isStarting = false;
    logFailedStart(log, error);
    exit.begin('failed start', 1);
  }
}

/** Logs why a start failed and, if that is known, what to do. */
export function logFailedStart(log: Logger, error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const port = error instanceof Error && 'port' in error ? error.port : undefined;
  if (code === 'EADDRINUSE') {
    log.error('start failed: a port is in use', {
      port,
      remedy: 'stop the process that has this port, or choose another one with PORT or ADMIN_PORT',
    });
  } else if (code === 'EACCES' && port !== undefined) {
    log.error('start failed: a port is not allowed', {
      port,
      remedy: 'choose a port of 1024 or more with PORT or ADMIN_PORT',
    });
  } else {
    log.error('start failed', { error });
  }
}
