import { parseArgs } from 'node:util';
import { LANES, type Lane } from './fuzz/fuzz-case';
import { type FuzzResult, runFuzz } from './fuzz/run-fuzz';

const USAGE = 'usage: pnpm fuzz [--cases 100000] [--seed 1] [--from 0] [--only http|upgrade|frames]\n';
const EX_USAGE = 64;
const GROUPS: Readonly<Record<string, readonly Lane[]>> = {
  http: ['bodies', 'raw'],
  upgrade: ['upgrade'],
  frames: ['frames'],
};
const PROGRESS_EVERY_S = 10;

/** `pnpm fuzz`: hostile input by a seed against two of each service; exits with 1 where one of the cases went wrong. Ctrl-C ends it early, with its figures. */
async function fuzz(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      from: { type: 'string', default: '0' },
      only: { type: 'string' },
    },
  });
  const [cases, seed, from] = [Number(values.cases), Number(values.seed), Number(values.from)];
  const lanes = values.only === undefined ? LANES : GROUPS[values.only];
  if (!(cases >= 1 && Number.isInteger(seed) && from >= 0) || lanes === undefined) {
    process.stderr.write(USAGE);
    return EX_USAGE;
  }
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

fuzz().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `the fuzz failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
