import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scenarios } from '../scenarios/catalogue';
import { chartsOf } from './charts';
import { faultsOf } from './findings';
import type { Machine, Results } from './results';
import { markdownTable } from './table';

const RESULTS = 'results.json';
const REPORT = 'report.md';
const BEGIN = '<!-- measured: written by pnpm bench -->';
const END = '<!-- end of what was measured -->';

/**
 * Writes the figures as JSON, the tables as Markdown and the charts into a folder. Returns the path of the JSON file.
 */
export function writeReport(dir: string, results: Results): string {
  mkdirSync(dir, { recursive: true });
  for (const { file, svg } of allCharts(results)) writeFileSync(join(dir, file), svg);
  writeFileSync(join(dir, REPORT), `# Benchmark\n\n${measuredText(results, '.')}\n`);
  const file = join(dir, RESULTS);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file;
}

/** Replaces the tables and charts in docs/PERFORMANCE.md. */
export function writePage(root: string, results: Results): void {
  const file = join(root, 'docs', 'PERFORMANCE.md');
  const page = readFileSync(file, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end === -1) throw new Error(`${file} lacks its marks: ${BEGIN} and ${END}`);
  const folder = join(root, 'docs', 'performance');
  mkdirSync(folder, { recursive: true });
  for (const { file: name, svg } of allCharts(results)) writeFileSync(join(folder, name), svg);
  const text = measuredText(results, 'performance');
  writeFileSync(file, `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`);
}

/** The results of an earlier run. */
export function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results;
}

/** Merges several runs. If two have the same scenario, the later one wins. */
export function mergeResults(runs: readonly [Results, ...Results[]]): Results {
  const [first] = runs;
  const samples = runs.reduce<Results['samples']>((merged, run) => {
    const again = new Set(run.samples.map(({ scenario }) => scenario));
    return [...merged.filter(({ scenario }) => !again.has(scenario)), ...run.samples];
  }, []);
  return { ...first, command: runs.map(({ command }) => command).join('; '), samples };
}

function allCharts({ samples }: Results) {
  return scenarios.flatMap((scenario) => chartsOf(scenario, samples));
}

function measuredText(
  { startedAt, command, rounds, seconds, machine, samples }: Results,
  folder: string,
): string {
  const parts = scenarios
    .filter(({ name }) => samples.some(({ scenario }) => scenario === name))
    .map((scenario) => {
      const [first] = chartsOf(scenario, samples);
      const faults = samples.filter(({ scenario: name }) => name === scenario.name).flatMap(faultsOf);
      return [
        `### ${scenario.name}`,
        `${scenario.what[0]?.toUpperCase()}${scenario.what.slice(1)}.`,
        markdownTable(scenario, samples),
        ...(faults.length === 0 ? [] : [`Not accounted for: ${[...new Set(faults)].join('; ')}.`]),
        ...(first === undefined ? [] : [`![${first.title}](${folder}/${first.file})`]),
      ].join('\n\n');
    });
  const taken = `Taken on ${startedAt.slice(0, 10)} by \`${command}\`: medians of ${rounds} rounds of ${seconds} s, with the lowest and the highest in brackets; ratios are taken within a round. ${machineText(machine)}`;
  return [taken, ...parts].join('\n\n');
}

function machineText({ cpu, cores, memoryGb, os, node, loadBefore, loadAfter }: Machine): string {
  return `The machine: ${cores} cores (${cpu}), ${memoryGb} GB, ${os}, Node ${node}; its load average was ${loadBefore.toFixed(1)} before and ${loadAfter.toFixed(1)} after.`;
}
