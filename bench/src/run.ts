import type { BenchOptions } from './options';
import { loadNow, thisMachine } from './report/machine';
import type { Results, Sample } from './report/results';
import { show } from './report/table';
import { metrics } from './scenarios/metrics';
import { openBenchStores } from './world/stores';

/** The options that a run uses. */
export type RunOptions = Pick<BenchOptions, 'scenarios' | 'systems' | 'rounds' | 'seconds' | 'scale'> & {
  profileDir?: string | undefined;
};

/**
 * Plays every scenario. Each round runs every system once, in a rotating order, so that other work on the machine
 * affects all systems equally.
 */
export async function run(
  options: RunOptions,
  command: string,
  say: (line: string) => void,
): Promise<Results> {
  const loadBefore = loadNow();
  const startedAt = new Date().toISOString();
  say('Starting Postgres and Redis …');
  const stores = await openBenchStores();
  const samples: Sample[] = [];
  try {
    for (const scenario of options.scenarios) {
      const systems = options.systems.filter((system) => scenario.systems.includes(system));
      for (let round = 1; round <= options.rounds; round++) {
        for (const system of turned(systems, round)) {
          const label = `${scenario.name}, round ${round} of ${options.rounds}, ${system}`;
          const outcomes = await scenario.run(stores, system, {
            ...options,
            say: (sentence) => say(`${label}: ${sentence}`),
          });
          for (const outcome of outcomes) {
            const sample = { scenario: scenario.name, system, round, ...outcome };
            samples.push(sample);
            say(`${label}: ${describe(sample, scenario.figures)}`);
            for (const remark of outcome.remarks ?? []) say(`${label}: ${remark}`);
          }
        }
      }
    }
  } finally {
    await stores.stop();
  }
  return {
    startedAt,
    command,
    rounds: options.rounds,
    seconds: options.seconds,
    machine: thisMachine(loadBefore),
    samples,
  };
}

/** The same items, starting with another one in each round. */
function turned<T>(items: readonly T[], round: number): T[] {
  const first = items.length === 0 ? 0 : (round - 1) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function describe({ point, figures }: Sample, keys: readonly (keyof typeof metrics)[]): string {
  const told = keys.flatMap((key) => {
    const value = figures[key];
    return value === undefined
      ? []
      : [`${metrics[key].label} ${show(value, metrics[key].digits)} ${metrics[key].unit}`];
  });
  return `${point === undefined ? '' : `${point.label}: `}${told.join(' · ')}`;
}
