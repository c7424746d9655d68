import { faultsOf } from './report/findings';
import { ratioOf } from './report/statistics';
import { valuesOf } from './report/table';
import { run } from './run';
import { saturated } from './scenarios/saturated';
import { hasProc } from './world/process-tree';

/** Posthorn's CPU per message may be so many times that of the floor, which does only what cannot be left out. */
const MAX_RATIO = 4;
const ROUNDS = 3;
const SECONDS = 4;

/**
 * `pnpm bench guard`: fails where Posthorn's CPU per message, beside the floor in the same run, is beyond the limit. CPU
 * and not time: what else the machine does hardly changes it.
 */
export async function guard(say: (line: string) => void): Promise<number> {
  if (!hasProc) {
    say('✓ nothing to compare: CPU per process is read from /proc');
    return 0;
  }
  const { samples } = await run(
    { scenarios: [saturated], systems: ['posthorn', 'floor'], rounds: ROUNDS, seconds: SECONDS, scale: 1 },
    'pnpm bench guard',
    say,
  );
  const ratio = ratioOf(
    valuesOf(samples, 'posthorn', null, 'cpuMs'),
    valuesOf(samples, 'floor', null, 'cpuMs'),
  );
  const faults = samples.flatMap(faultsOf);
  for (const fault of faults) say(`✗ ${fault}`);
  const isGood = ratio !== undefined && ratio <= MAX_RATIO;
  say(
    `${isGood ? '✓' : '✗'} CPU per message is ${ratio?.toFixed(2)} × the floor's; the limit is ${MAX_RATIO}`,
  );
  return isGood && faults.length === 0 ? 0 : 1;
}
