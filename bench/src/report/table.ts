import type { DialectName } from '../driver/dialect';
import { type MetricKey, metrics } from '../scenarios/metrics';
import type { Scenario } from '../scenarios/scenario';
import { systemNames } from '../systems/start-system';
import { faultsOf } from './findings';
import type { Sample } from './results';
import { ratioOf, spreadOf } from './statistics';

/** The systems that Posthorn is compared with, if they were measured. */
const YARDSTICKS: readonly DialectName[] = ['hand-made', 'floor'];
const CPU_DIGITS = 3;

/** The table of a scenario: a row for each figure (at each point of a curve), a column for each system. */
export function tableOf(scenario: Scenario, samples: readonly Sample[]): string[][] {
  const own = samples.filter((sample) => sample.scenario === scenario.name);
  const systems = systemNames.filter((name) => own.some(({ system }) => system === name));
  const yardsticks = systems.includes('posthorn') ? YARDSTICKS.filter((name) => systems.includes(name)) : [];
  const points = [...new Set(own.map(({ point }) => point?.label ?? null))];
  const row = (title: string, digits: number, of: (system: DialectName) => Map<number, number>): string[] => [
    title,
    ...systems.map((system) => cellOf(of(system), digits)),
    ...yardsticks.map((other) => ratioOf(of('posthorn'), of(other))?.toFixed(2) ?? '–'),
  ];
  return [
    ['', ...systems, ...yardsticks.map((name) => `posthorn ÷ ${name}`)],
    ...points.flatMap((point) => [
      ...scenario.figures.map((key) =>
        row(titleOf(key, point), metrics[key].digits, (system) => valuesOf(own, system, point, key)),
      ),
      ...(scenario.group === 'comparison'
        ? processesOf(own).map((process) =>
            row(`· ${process}, CPU ms`, CPU_DIGITS, (system) => cpuOf(own, system, process)),
          )
        : []),
    ]),
  ];
}

/** The table of one scenario for a terminal, and what is wrong with its messages. */
export function textTable(scenario: Scenario, samples: readonly Sample[]): string {
  const lines = tableOf(scenario, samples);
  if (lines.length === 1) return '';
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const text = lines
    .map((line) => `  ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd())
    .join('\n');
  const faults = samples.filter((sample) => sample.scenario === scenario.name).flatMap(faultsOf);
  const told = [...new Set(faults)].map((fault) => `\n  ✗ ${fault}`).join('');
  return `\n${scenario.name}: ${scenario.what}\n${text}${told}\n`;
}

/** The same in Markdown. */
export function markdownTable(scenario: Scenario, samples: readonly Sample[]): string {
  const [head = [], ...rows] = tableOf(scenario, samples);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The figure by round. */
export function valuesOf(
  samples: readonly Sample[],
  system: DialectName,
  point: string | null,
  key: MetricKey,
): Map<number, number> {
  return byRound(samples, system, point, ({ figures }) => figures[key]);
}

function cpuOf(samples: readonly Sample[], system: DialectName, process: string): Map<number, number> {
  return byRound(samples, system, null, ({ cpu }) => cpu?.[process]);
}

function byRound(
  samples: readonly Sample[],
  system: DialectName,
  point: string | null,
  value: (sample: Sample) => number | undefined,
): Map<number, number> {
  return new Map(
    samples
      .filter((sample) => sample.system === system && (sample.point?.label ?? null) === point)
      .flatMap((sample) => {
        const found = value(sample);
        return found === undefined ? [] : [[sample.round, found] as const];
      }),
  );
}

function processesOf(samples: readonly Sample[]): string[] {
  return [...new Set(samples.flatMap(({ cpu }) => Object.keys(cpu ?? {})))];
}

/** `5,432 (5,300–5,500)`: median, minimum and maximum. */
function cellOf(values: ReadonlyMap<number, number>, digits: number): string {
  const spread = spreadOf([...values.values()]);
  if (spread === undefined) return '–';
  const range = spread.count > 1 ? ` (${show(spread.min, digits)}–${show(spread.max, digits)})` : '';
  return `${show(spread.median, digits)}${range}`;
}

function titleOf(key: MetricKey, point: string | null): string {
  const { label, unit } = metrics[key];
  return `${point === null ? '' : `${point}: `}${label}${unit === '' ? '' : `, ${unit}`}`;
}

/** 5,432.1 */
export function show(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
