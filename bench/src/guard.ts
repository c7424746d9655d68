import { faultsOf } from './report/findings';
import type { Sample } from './report/results';
import { valuesOf } from './report/table';
import { run } from './run';
import { saturated } from './scenarios/saturated';
import { hasProc } from './world/process-tree';

/** How much CPU per message Posthorn may use, as a multiple of the floor, which does only the unavoidable work. */
const MAX_RATIO = 2.6;
const MAX_ROUNDS = 3;
const SECONDS = 4;
/** A machine that is too slow refuses some sends (503). Above this share the cost of the others says nothing. */
const MAX_REFUSED_SHARE = 0.05;

/**
 * `pnpm bench guard`: fails if Posthorn's CPU per message exceeds the limit, relative to the floor in the same run.
 * It compares CPU, not time, and takes the lowest of up to three rounds. Other work on the machine can only add to
 * both, so the first good round ends it.
 */
export async function guard(say: (line: string) => void): Promise<number> {
  if (!hasProc) {
    say('✓ nothing to compare: CPU per process is read from /proc');
    return 0;
  }
  const samples: Sample[] = [];
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const options = { scenarios: [saturated], systems: ['posthorn', 'floor'] as const, seconds: SECONDS };
    const results = await run({ ...options, rounds: 1, scale: 1 }, 'pnpm bench guard', say);
    const faults = results.samples.flatMap((sample) => faultsOf(withoutRefused(sample)));
    for (const fault of faults) say(`✗ ${fault}`);
    if (faults.length > 0) return 1;
    if (results.samples.some((sample) => refusedShare(sample) > MAX_REFUSED_SHARE)) {
      say('✗ the machine is too slow for the load: too much of it was refused');
      continue;
    }
    samples.push(...results.samples.map((sample) => ({ ...sample, round })));
    const ratio = leastCpu(samples, 'posthorn') / leastCpu(samples, 'floor');
    const isGood = ratio <= MAX_RATIO;
    say(
      `${isGood ? '✓' : '✗'} CPU per message: ${ratio.toFixed(2)} × the floor's; the limit is ${MAX_RATIO}`,
    );
    if (isGood) return 0;
  }
  return 1;
}

function leastCpu(samples: readonly Sample[], system: Sample['system']): number {
  return Math.min(...valuesOf(samples, system, null, 'cpuMs').values());
}

function withoutRefused(sample: Sample): Sample {
  return sample.account === null ? sample : { ...sample, account: { ...sample.account, refused: 0 } };
}

function refusedShare({ account }: Sample): number {
  return account === null ? 0 : account.refused / Math.max(1, account.accepted + account.refused);
}
