import { parseArgs } from 'node:util';
import { integer, parsed, runCommand, UsageError } from './command';
import { LANES, type Lane } from './fuzz/fuzz-case';
import { type FuzzResult, runFuzz } from './fuzz/run-fuzz';

const USAGE = `usage: pnpm fuzz [options]

Hostile input from a seed, against two of each service, with canary traffic that must keep flowing.

  --cases N     number of cases (100000)
  --seed N      decides the cases (1)
  --from N      the number of the first case, to play one again (0)
  --only LANE   http, upgrade or frames
  --help        prints this
`;
const GROUPS: Readonly<Record<string, readonly Lane[]>> = {
  http: ['bodies', 'raw'],
  upgrade: ['upgrade'],
  frames: ['frames'],
};
const PROGRESS_EVERY_S = 10;

/**
 * `pnpm fuzz`: sends hostile input, chosen by a seed, to two processes of each service. Exits with 1 if a case went
 * wrong. Ctrl-C ends it early and prints the figures.
 */
async function fuzz(args: readonly string[]): Promise<number> {
  const values = parsed(() => read(args));
  const cases = integer('cases', values.cases, 1);
  const seed = integer('seed', values.seed, 0);
  const from = integer('from', values.from, 0);
  const lanes = values.only === undefined ? LANES : GROUPS[values.only];
  if (lanes === undefined) throw new UsageError(`--only must be one of ${Object.keys(GROUPS).join(', ')}`);
  say('Starting Postgres, Redis, 2 × send-api and 2 × ws-gateway …\n');
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  let lastS = 0;
  const startedAt = performance.now();
  const result = await runFuzz({
    seed,
    from,
    cases,
    lanes,
    replay: `pnpm fuzz --seed ${seed}`,
    say,
    signal: interrupted.signal,
    onProgress: (done, total) => {
      const seconds = (performance.now() - startedAt) / 1_000;
      if (seconds - lastS < PROGRESS_EVERY_S) return;
      lastS = seconds;
      say(`  ${done} of ${total}\n`);
    },
  });
  return print(result);
}

function read(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      cases: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      from: { type: 'string', default: '0' },
      only: { type: 'string' },
    },
  }).values;
}

function print({ report, cases, seconds, accepted, ...canary }: FuzzResult): number {
  for (const [outcome, count] of [...report.outcomes].sort(([a], [b]) => a.localeCompare(b))) {
    say(`  ${outcome.padEnd(28)} ${count}\n`);
  }
  const isGood = report.failures.length === 0;
  say(
    `${isGood ? '✓' : '✗'} ${cases} cases in ${seconds.toFixed(1)} s (${(cases / seconds).toFixed(0)} per second), ` +
      `${accepted} messages accepted and stored, ${report.unavailable} × 503, ` +
      `canary: ${canary.canaryMessages} messages to 2 devices, p99 ${canary.canaryP99Ms.toFixed(0)} ms, ` +
      `at most ${canary.canaryMaxMs.toFixed(0)} ms, ${report.failures.length} failures\n`,
  );
  return isGood ? 0 : 1;
}

function say(text: string): void {
  process.stdout.write(text);
}

runCommand(USAGE, fuzz);
