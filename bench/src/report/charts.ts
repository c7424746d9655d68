import { type MetricKey, metrics } from '../scenarios/metrics';
import type { Scenario } from '../scenarios/scenario';
import { systemNames } from '../systems/start-system';
import type { Sample } from './results';
import { median, spreadOf } from './statistics';
import { barChart, lineChart } from './svg';
import { show, valuesOf } from './table';

/** A chart of one figure in one scenario. */
export interface Chart {
  /** `saturated-cpuMs.svg` */
  file: string;
  title: string;
  svg: string;
}

/** A chart for each figure: bars for a comparison, lines for a curve. */
export function chartsOf(scenario: Scenario, samples: readonly Sample[]): Chart[] {
  const own = samples.filter((sample) => sample.scenario === scenario.name);
  return scenario.figures
    .filter((key) => own.some(({ figures }) => figures[key] !== undefined))
    .map((key) => {
      const { label, unit } = metrics[key];
      const title = `${scenario.name}: ${label}${unit === '' ? '' : `, ${unit}`}`;
      const isCurve = own.some(({ point }) => point !== undefined);
      const svg = isCurve ? curve(title, own, key) : bars(title, own, key);
      return { file: `${scenario.name}-${key}.svg`, title, svg };
    });
}

function bars(title: string, samples: readonly Sample[], key: MetricKey): string {
  const drawn = systemNames.flatMap((system) => {
    const spread = spreadOf([...valuesOf(samples, system, null, key).values()]);
    if (spread === undefined) return [];
    const { median: value, min, max } = spread;
    return [{ label: system, value, min, max, text: show(value, metrics[key].digits) }];
  });
  return barChart(title, drawn);
}

function curve(title: string, samples: readonly Sample[], key: MetricKey): string {
  const points = new Map(
    samples.flatMap(({ point }) => (point === undefined ? [] : [[point.x, point.label]])),
  );
  const lines = systemNames.flatMap((system) => {
    const drawn = [...points].flatMap(([x, label]) => {
      const values = [...valuesOf(samples, system, label, key).values()];
      return values.length === 0 ? [] : [{ x, y: median(values) }];
    });
    return drawn.length === 0 ? [] : [{ label: system, points: drawn.sort((a, b) => a.x - b.x) }];
  });
  const xLabel = [...points.values()].at(-1)?.replace(/^[\d,]+ |=\d+$/g, '') ?? '';
  return lineChart(title, xLabel, lines);
}
