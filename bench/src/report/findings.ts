import type { Sample } from './results';

/** What is wrong with a measurement, apart from being slow. Empty if all messages are accounted for. */
export function faultsOf({ system, account, receipts }: Sample): string[] {
  if (account === null) return [];
  const { lost, twice, toTheWrongOne, refused, due } = account;
  const faults = [
    [lost, 'lost'],
    [twice, 'twice'],
    [toTheWrongOne, 'to the wrong one'],
    [refused, 'refused'],
  ] as const;
  return [
    ...faults.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`),
    ...(receipts !== null && receipts !== due ? [`${receipts} receipts of ${due} deliveries`] : []),
  ].map((fault) => `${system}: ${fault}`);
}
