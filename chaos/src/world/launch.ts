import { join } from 'node:path';
import type { StartVariant } from './chaos-world';

/** The start options that a variant needs. */
export interface Launch {
  /** Added to its environment. */
  env: Record<string, string>;
  /** Arguments of Node. */
  execArgv: string[];
}

const MUTATE = preload('mutate.cjs');
const CLOCK_SKEW = preload('clock-skew.cjs');

/** How to start a service as the variant. */
export function launchOf({ env = {}, mutations = [], clockSkewMs }: StartVariant): Launch {
  const launch: Launch = { env: { ...env }, execArgv: [] };
  if (mutations.length > 0) {
    launch.env['CHAOS_MUTATIONS'] = JSON.stringify(mutations);
    launch.execArgv.push('--require', MUTATE);
  }
  if (clockSkewMs !== undefined) {
    launch.env['CHAOS_CLOCK_SKEW_MS'] = String(clockSkewMs);
    launch.execArgv.push('--require', CLOCK_SKEW);
  }
  return launch;
}

/** Plain JavaScript at the top of the package, so that it is the same from the sources and from the build. */
function preload(file: string): string {
  return join(__dirname, '..', '..', file);
}
