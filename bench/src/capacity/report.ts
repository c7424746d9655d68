import { type Bar, barChart } from '../report/svg';
import { type Need, type Part, partsOf, usersThatFill } from './model';
import type { SimulateOptions } from './options';

/** From 1 thousand to 100 million. */
const USERS = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
/** The left end of the picture. Each factor of ten has the same length. */
const ORIGIN = 1e3;
const TITLE = 'users that fill one of each (each tenfold the same length)';

/** When a part is full: its largest share, and the number of users for that. */
interface Filling {
  part: Part;
  users: number;
}

/** The resources that exist only once, sorted by which is full first. */
function fillingsOf({ limits }: SimulateOptions, needFor: (users: number) => Need): Filling[] {
  return partsOf(limits)
    .map((part) => ({ part, users: usersThatFill(part, needFor) }))
    .sort((a, b) => a.users - b.users);
}

/** The tables as rows of cells, headings first: what is needed, and what is full when. */
export function tablesOf(
  options: SimulateOptions,
  needFor: (users: number) => Need,
): { needs: string[][]; fillings: string[][] } {
  const parts = partsOf(options.limits);
  const needs = USERS.map((users) => {
    const need = needFor(users);
    const full = parts.filter((part) => part.share(need) >= 1);
    return [
      round(users),
      round(need.connections),
      round(need.sendsPerS),
      round(need.deliveriesPerS),
      round(need.sendApis),
      round(need.gateways),
      round(need.redisMasters),
      round(need.postgresCores),
      round(need.postgresConnections),
      round(need.walMbPerS),
      round(need.tableTb),
      need.gatewayBackS === null ? '–' : round(need.gatewayBackS),
      full.map(({ name }) => name).join(', ') || '–',
    ];
  });
  const fillings = fillingsOf(options, needFor).map(({ part, users }) => [part.name, round(users)]);
  return {
    needs: [
      [
        'users',
        'connections',
        'sends/s',
        'deliveries/s',
        'send-api',
        'ws-gateway',
        'Redis cores',
        'Postgres cores',
        'Postgres connections',
        'log MB/s',
        'tables TB',
        'recovery after a gateway dies, s',
        'one is not enough',
      ],
      ...needs,
    ],
    fillings: [['resource', 'users that fill it'], ...fillings],
  };
}

/** The same as bars on a logarithmic scale. */
export function pictureOf(options: SimulateOptions, needFor: (users: number) => Need): string {
  const bars = fillingsOf(options, needFor).map(({ part, users }): Bar => {
    const value = Math.max(0, Math.log10(users / ORIGIN));
    return { label: part.name, value, min: value, max: value, text: round(users) };
  });
  return barChart(TITLE, bars, 170);
}

/** Three significant digits: 12,300; 4.56; 0.0789. */
function round(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}
