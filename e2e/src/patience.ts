import { join } from 'node:path';
import type { ServiceOptions } from '@posthorn/stack';

/** What the services wait for. */
export type Store = 'postgres' | 'redis';

/** A limit of the product, in its build. */
interface Limit {
  file: string;
  name: string;
  ms: string;
}

/** Longer than any test takes. */
const PATIENT_MS = 200_000;

/** What a busy machine may run into. The limits themselves have tests of their own, beside the sources. */
const LIMITS: Readonly<Record<Store, readonly Limit[]>> = {
  postgres: [
    { file: 'services/send-api/dist/within.js', name: 'POSTGRES_WAIT_MS', ms: '1_700' },
    { file: 'libs/inbox/dist/database.js', name: 'STATEMENT_TIMEOUT_MS', ms: '1_200' },
    { file: 'libs/inbox/dist/database.js', name: 'QUERY_TIMEOUT_MS', ms: '1_500' },
    { file: 'libs/inbox/dist/database.js', name: 'CONNECT_TIMEOUT_MS', ms: '1_000' },
  ],
  redis: [
    { file: 'libs/routing/dist/times.js', name: 'COMMAND_WAIT_MS', ms: '250' },
    { file: 'libs/routing/dist/times.js', name: 'LIMIT_WAIT_MS', ms: '150' },
    { file: 'libs/routing/dist/times.js', name: 'ROUTE_WAIT_MS', ms: '300' },
    { file: 'libs/routing/dist/times.js', name: 'LIVENESS_WAIT_MS', ms: '100' },
  ],
};

/** Replaces pieces of a build when they are loaded. */
const MUTATE = join(__dirname, '..', '..', 'chaos', 'mutate.cjs');

/** How to start a service that waits for these stores as long as it takes. */
export function patienceWith(stores: readonly Store[]): {
  env: Record<string, string>;
  options: ServiceOptions;
} {
  if (stores.length === 0) return { env: {}, options: {} };
  const mutations = stores
    .flatMap((store) => LIMITS[store])
    .map(({ file, name, ms }) => ({ file, find: `${name} = ${ms};`, replace: `${name} = ${PATIENT_MS};` }));
  return {
    env: { CHAOS_MUTATIONS: JSON.stringify(mutations) },
    options: { execArgv: ['--require', MUTATE] },
  };
}
