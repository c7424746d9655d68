import type { Counts, Verdict } from './check/verdict';
import type { HistoryEvent } from './history/history';

/** The contents of a report. */
export interface ReportedRun {
  title: string;
  /** The command that plays it again. */
  command: string;
  events: readonly HistoryEvent[];
  verdict: Verdict;
}

interface Span {
  id: string;
  target: string;
  effect: string | null;
  from: number;
  to: number;
}

const MAX_BARS = 160;
const BARS = ' ▁▂▃▄▅▆▇█';

/** A page for people: the verdict, the figures, what was done when, and what it cost. */
export function reportOf({ title, command, events, verdict }: ReportedRun): string {
  const start = events[0]?.t ?? 0;
  return [
    `# ${title}`,
    '',
    `**${verdict.verdict}**. Again: \`${command}\``,
    '',
    ...verdict.doubts.map((doubt) => `- in doubt: ${doubt}`),
    ...verdict.violations.flatMap(({ invariant, count, witnesses }) => [
      `- broken: **${invariant}**, ${count} times`,
      ...witnesses.map((witness) => `  - ${witness}`),
    ]),
    '',
    '## Figures',
    '',
    ...countLines(verdict.counts),
    '',
    '## Each second',
    '',
    '```',
    ...timeline(events, start),
    '```',
    '',
    '## Faults',
    '',
    '| from s | to s | fault | target | effect | sends ok / refused / unknown | POST p50 / longest ms | deliveries | connections lost |',
    '|---|---|---|---|---|---|---|---|---|',
    ...spansOf(events).map((span) => faultRow(span, events, start)),
    '',
  ].join('\n');
}

function countLines(counts: Counts): string[] {
  const { redisFaultSends, quietSends, ...plain } = counts;
  const line = ([name, value]: [string, number]): string => `- ${words(name)}: ${round(value)}`;
  const sends = (name: string, { total, ok, p99Ms }: Counts['quietSends']): string =>
    `- sends ${name}: ${ok} of ${total} answered 200 or 201, p99 ${round(p99Ms)} ms`;
  return [
    ...Object.entries(plain).map(line),
    sends('without a fault', quietSends),
    sends('during faults of Redis', redisFaultSends),
  ];
}

/** Three rows of bars (accepted sends, unknown outcomes, deliveries), and one row that shows the faults. */
function timeline(events: readonly HistoryEvent[], start: number): string[] {
  const end = events.at(-1)?.t ?? start;
  const perBar = Math.max(1_000, (end - start) / MAX_BARS);
  const size = Math.ceil((end - start) / perBar) + 1;
  const rows = {
    accepted: zeros(size),
    unknown: zeros(size),
    delivered: zeros(size),
    faults: zeros(size),
  };
  const bar = (t: number): number => Math.floor((t - start) / perBar);
  const add = (row: number[], t: number): void => {
    row[bar(t)] = (row[bar(t)] ?? 0) + 1;
  };
  for (const { t, type, f } of events) {
    if (f === 'send' && type === 'ok') add(rows.accepted, t);
    if (f === 'send' && type === 'info') add(rows.unknown, t);
    if (f === 'message') add(rows.delivered, t);
  }
  for (const { from, to } of spansOf(events))
    for (let index = bar(from); index <= bar(to); index++) rows.faults[index] = 1;
  return Object.entries(rows).map(
    ([name, row]) =>
      `${name.padEnd(9)} ${bars(row)} max ${Math.max(...row)}${name === 'faults' ? '' : ' per bar'}`,
  );
}

function zeros(size: number): number[] {
  return Array.from({ length: size }, () => 0);
}

function bars(row: readonly number[]): string {
  const max = Math.max(1, ...row);
  return row
    .map((value) => BARS[value === 0 ? 0 : Math.max(1, Math.round((value / max) * (BARS.length - 1)))])
    .join('');
}

function spansOf(events: readonly HistoryEvent[]): Span[] {
  const spans: Span[] = [];
  for (const event of events) {
    if (event.f !== 'fault') continue;
    if (event.v.phase === 'start') {
      spans.push({ id: event.v.id, target: '', effect: null, from: event.t, to: event.t });
      continue;
    }
    const { id, target, effect } = event.v;
    const span = spans.findLast((open) => open.id === id);
    if (span !== undefined) Object.assign(span, { target, effect, to: event.t });
  }
  return spans;
}

function faultRow(
  { id, target, effect, from, to }: Span,
  events: readonly HistoryEvent[],
  start: number,
): string {
  const during = events.filter(({ t }) => t >= from && t <= to);
  const waits = during.flatMap((event) =>
    event.f === 'send' && event.type !== 'invoke' ? [event.v.ms] : [],
  );
  waits.sort((a, b) => a - b);
  const sends = (type: HistoryEvent['type']): number =>
    during.filter((event) => event.f === 'send' && event.type === type).length;
  const cells = [
    ((from - start) / 1000).toFixed(1),
    ((to - start) / 1000).toFixed(1),
    id,
    target,
    effect ?? 'not seen',
    `${sends('ok')} / ${sends('fail')} / ${sends('info')}`,
    `${round(waits[Math.floor(waits.length / 2)] ?? 0)} / ${round(waits.at(-1) ?? 0)}`,
    during.filter(({ f }) => f === 'message').length,
    during.filter((event) => event.f === 'closed' && event.v.by === 'server').length,
  ];
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '/')).join(' | ')} |`;
}

/** `worstDeliveryMs` → `worst delivery ms` */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 3 : 0);
}
