import { join } from 'node:path';
import type { ServiceOptions } from '@posthorn/stack';

/** What the services wait for. */
export type Store = 'postgres' | 'redis';

const PRELOAD = join(__dirname, '..', 'patient.cjs');

/** The start options of a service that waits for these stores as long as it takes. */
export function patienceWith(stores: readonly Store[]): {
  env: Record<string, string>;
  options: ServiceOptions;
} {
  if (stores.length === 0) return { env: {}, options: {} };
  return { env: { PATIENT_WITH: stores.join(',') }, options: { execArgv: ['--require', PRELOAD] } };
}
