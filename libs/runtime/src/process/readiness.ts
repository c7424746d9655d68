import type { Registry } from 'prom-client';
import type { AdminResponse, AdminRoute } from '../admin/admin-routes';
import { within } from './within';

/** Whether a service can take work. `missing` and `degraded` map a name to one sentence that says what is wrong. */
export interface Readiness {
  readonly ready: boolean;
  readonly missing: Readonly<Record<string, string>>;
  readonly degraded: Readonly<Record<string, string>>;
}

/** Called for every `GET /readyz`; should answer within 3 s. */
export type ReadinessCheck = () => Promise<Readiness>;

const CHECK_TIMEOUT_MS = 3000;

/** `GET /livez`, `/readyz` and `/metrics` of one process. Liveness never asks a store. */
export function healthRoutes(check: ReadinessCheck, metrics: Registry): AdminRoute[] {
  return [
    { method: 'GET', path: '/livez', handle: async () => ({ status: 200, body: { status: 'alive' } }) },
    { method: 'GET', path: '/readyz', handle: async () => readinessAnswer(await checkInTime(check)) },
    {
      method: 'GET',
      path: '/metrics',
      handle: async () => ({ status: 200, body: await metrics.metrics(), contentType: metrics.contentType }),
    },
  ];
}

/** 200 `{"status":"ready", …}` or 503 `{"status":"unready", …}`. The fields of `extra` are added to the body. */
export function readinessAnswer({ ready, missing, degraded }: Readiness, extra: object = {}): AdminResponse {
  return {
    status: ready ? 200 : 503,
    body: { status: ready ? 'ready' : 'unready', missing, degraded, ...extra },
  };
}

/** An unready answer with one missing thing. */
export function unready(name: string, sentence: string): Readiness {
  return { ready: false, missing: { [name]: sentence }, degraded: {} };
}

/** The check's result. It is unready if the check fails or takes more than 3 s. Never rejects. */
export async function checkInTime(check: ReadinessCheck): Promise<Readiness> {
  try {
    return await within(CHECK_TIMEOUT_MS, check(), () =>
      unready('readiness', `no answer within ${CHECK_TIMEOUT_MS} ms`),
    );
  } catch (error) {
    return unready('readiness', `the check failed: ${error instanceof Error ? error.name : 'unknown error'}`);
  }
}
