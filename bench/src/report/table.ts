import type { DialectName } from '../driver/dialect';
import { type MetricKey, metrics } from '../scenarios/metrics';
import type { Scenario } from '../scenarios/scenario';
import { systemNames } from '../systems/start-system';
import { faultsOf } from './findings';
import type { Sample } from './results';
import { ratioOf, spreadOf } from './statistics';

/** What Posthorn is compared with, where it is there. */
const YARDSTICKS: readonly DialectName[] = ['hand-made', 'floor'];

/** One row of a table: a system (at one point of a curve) and its figures. */
interface Row {
  system: DialectName;
  point: string | null;
  /** `5,432 (5,300–5,500)`, in the order of the columns. */
  cells: string[];
}

/** The column titles of a scenario, behind the system. */
function titlesOf(scenario: Scenario): string[] {
  return scenario.figures.map(
    (key) => `${metrics[key].label}${metrics[key].unit === '' ? '' : `, ${metrics[key].unit}`}`,
  );
}

/** The rows of a scenario: medians, with the least and the most of the rounds, and ratios to the others. */
function rowsOf(scenario: Scenario, samples: readonly Sample[]): Row[] {
  const own = samples.filter((sample) => sample.scenario === scenario.name);
  const points = [...new Set(own.map(({ point }) => point?.label ?? null))];
  return points.flatMap((point) =>
    systemNames
      .filter((system) => own.some((sample) => isOf(sample, system, point)))
      .map((system) => ({
        system,
        point,
        cells: scenario.figures.map((key) => cellOf(own, system, point, key)),
      })),
  );
}

/** The table of one scenario, for a terminal. */
export function textTable(scenario: Scenario, samples: readonly Sample[]): string {
  const rows = rowsOf(scenario, samples);
  if (rows.length === 0) return '';
  const lines = [
    ['', ...titlesOf(scenario)],
    ...rows.map(({ system, point, cells }) => [point === null ? system : `${system}, ${point}`, ...cells]),
  ];
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
  const rows = rowsOf(scenario, samples).map(({ system, point, cells }) => [
    point === null ? system : `${system}, ${point}`,
    ...cells,
  ]);
  const head = ['', ...titlesOf(scenario)];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cellOf(
  samples: readonly Sample[],
  system: DialectName,
  point: string | null,
  key: MetricKey,
): string {
  const spread = spreadOf([...valuesOf(samples, system, point, key).values()]);
  if (spread === undefined) return '–';
  const { digits } = metrics[key];
  const range = spread.count > 1 ? ` (${show(spread.min, digits)}–${show(spread.max, digits)})` : '';
  return `${show(spread.median, digits)}${range}${ratiosOf(samples, system, point, key)}`;
}

/** Of Posthorn only: what it is to a hand-made pair, and to the floor. */
function ratiosOf(
  samples: readonly Sample[],
  system: DialectName,
  point: string | null,
  key: MetricKey,
): string {
  if (system !== 'posthorn') return '';
  const own = valuesOf(samples, system, point, key);
  const ratios = YARDSTICKS.flatMap((other) => {
    const ratio = ratioOf(own, valuesOf(samples, other, point, key));
    return ratio === undefined ? [] : [`${ratio.toFixed(2)} × ${other}`];
  });
  return ratios.length === 0 ? '' : ` = ${ratios.join(', ')}`;
}

/** The figure in each round. */
export function valuesOf(
  samples: readonly Sample[],
  system: DialectName,
  point: string | null,
  key: MetricKey,
): Map<number, number> {
  return new Map(
    samples
      .filter((sample) => isOf(sample, system, point))
      .flatMap(({ round, figures }) => (figures[key] === undefined ? [] : [[round, figures[key]] as const])),
  );
}

function isOf(sample: Sample, system: DialectName, point: string | null): boolean {
  return sample.system === system && (sample.point?.label ?? null) === point;
}

/** 5,432.1 */
export function show(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
