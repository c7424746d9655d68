import { parseArgs } from 'node:util';
import { runChurn } from './churn/run-churn';
import { integer, parsed, runCommand } from './command';

const USAGE = `usage: pnpm churn [options]

Connections come and go by the thousand; nothing of them may be left.

  --connects N   number of connects (100000)
  --seed N       decides what they do (1)
  --help         prints this
`;
const PROGRESS_EVERY = 10_000;
/** Connects before the first measurement, until caches, code and the heap have reached their size. */
const WARM_UP_SHARE = 0.2;
const MIN_WARM_UP = 5_000;
const MAY_GROW = 0.1;

/** `pnpm churn`: opens and ends thousands of connections. Exits with 1 if anything of them is left. */
async function churn(args: readonly string[]): Promise<number> {
  const { values } = parsed(() =>
    parseArgs({
      args: [...args],
      options: { connects: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
    }),
  );
  const connects = integer('connects', values.connects, 1);
  const seed = integer('seed', values.seed, 0);
  const warmUp = Math.max(MIN_WARM_UP, Math.round(connects * WARM_UP_SHARE));
  process.stdout.write(`Starting Postgres, Redis and 2 × ws-gateway; ${warmUp} connects to warm up …\n`);
  const { findings, outcomes, seconds } = await runChurn({
    connects,
    seed,
    warmUp,
    mayGrow: MAY_GROW,
    onProgress: (done, total) => {
      if (done % PROGRESS_EVERY === 0) process.stdout.write(`  ${done} of ${total}\n`);
    },
  });
  for (const [outcome, count] of [...outcomes].sort(([a], [b]) => a.localeCompare(b))) {
    process.stdout.write(`  ${outcome.padEnd(28)} ${count}\n`);
  }
  const width = Math.max(...findings.map(({ what }) => what.length));
  for (const { what, value, isGood } of findings) {
    process.stdout.write(`  ${isGood ? '✓' : '✗'} ${what.padEnd(width)}  ${value}\n`);
  }
  const isGood = findings.every((finding) => finding.isGood);
  const rate = (connects / seconds).toFixed(0);
  process.stdout.write(
    `${isGood ? '✓' : '✗'} ${connects} connects in ${seconds.toFixed(1)} s (${rate} per second); ${isGood ? 'nothing is left of them' : 'see ✗'}\n`,
  );
  return isGood ? 0 : 1;
}

runCommand(USAGE, churn);
