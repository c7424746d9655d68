import { saturated } from '../scenarios/saturated';
import { workers } from '../scenarios/workers';
import { chartsOf } from './charts';
import type { Sample } from './results';
import { markdownTable, tableOf, textTable } from './table';
import { mergeResults } from './write-report';

const WELL = { accepted: 9, refused: 0, due: 9, arrived: 9, lost: 0, twice: 0, toTheWrongOne: 0 };

function sample(system: Sample['system'], round: number, cpuMs: number, more: Partial<Sample> = {}): Sample {
  return {
    scenario: 'saturated',
    system,
    round,
    figures: { cpuMs, sendsPerSecond: 1_234 },
    cpu: { api: cpuMs },
    account: WELL,
    receipts: null,
    ...more,
  };
}

const SAMPLES = [
  sample('posthorn', 1, 0.2),
  sample('floor', 1, 0.1),
  sample('posthorn', 2, 0.6),
  sample('floor', 2, 0.2),
];

describe('a table', () => {
  it('has medians, the least and the most, and ratios within rounds', () => {
    const [head, sends, cpu, , , process] = tableOf(saturated, SAMPLES);
    expect(head).toEqual(['', 'posthorn', 'floor', 'posthorn ÷ floor']);
    expect(sends).toEqual(['sends, /s', '1,234 (1,234–1,234)', '1,234 (1,234–1,234)', '1.00']);
    expect(cpu).toEqual(['CPU per message, ms', '0.400 (0.200–0.600)', '0.150 (0.100–0.200)', '2.50']);
    expect(process?.[0]).toBe('· api, CPU ms');
    expect(markdownTable(saturated, SAMPLES).split('\n')[1]).toBe('| --- | --- | --- | --- |');
  });

  it('names what is not accounted for', () => {
    const lossy = sample('floor', 1, 1, { account: { ...WELL, arrived: 8, lost: 1 }, receipts: 8 });
    expect(textTable(saturated, [lossy])).toContain('✗ floor: 1 lost\n  ✗ floor: 8 receipts of 9 deliveries');
  });

  it('has a row for each point of a curve, and a picture of it', () => {
    const points = [1, 2].map((x) =>
      sample('posthorn', 1, x, { scenario: 'workers', point: { label: `WORKERS=${x}`, x } }),
    );
    expect(tableOf(workers, points).map(([title]) => title)).toContain('WORKERS=2: CPU per message, ms');
    expect(chartsOf(workers, points).map(({ file }) => file)).toEqual([
      'workers-sendsPerSecond.svg',
      'workers-cpuMs.svg',
    ]);
  });
});

describe('runs', () => {
  it('are put together: the later one counts for what both have', () => {
    const machine = { cpu: '', cores: 2, memoryGb: 1, os: '', node: '', loadBefore: 0, loadAfter: 0 };
    const results = { startedAt: '', command: 'pnpm bench', rounds: 1, seconds: 1, machine };
    const merged = mergeResults([
      { ...results, samples: [sample('floor', 1, 1), sample('floor', 1, 1, { scenario: 'drain' })] },
      { ...results, samples: [sample('floor', 1, 2)] },
    ]);
    expect(merged.samples.map(({ scenario, figures }) => [scenario, figures.cpuMs])).toEqual([
      ['drain', 1],
      ['saturated', 2],
    ]);
  });
});
