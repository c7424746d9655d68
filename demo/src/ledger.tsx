import type { Entry } from './history.ts';
import type { Person } from './person.ts';

/** The account: what each has sent, and what the other has received. */
export function Ledger({ alice, bob }: { alice: Person; bob: Person }) {
  return (
    <section class="ledger" aria-label="The account">
      <Line from={alice} to={bob} />
      <Line from={bob} to={alice} />
    </section>
  );
}

function Line({ from, to }: { from: Person; to: Person }) {
  const accepted = from.history.entries.filter(({ isOwn, id }) => isOwn && id !== undefined);
  const waiting = from.history.entries.filter(({ isOwn, state }) => isOwn && state === 'pending').length;
  const arrived = to.history.entries.filter(({ isOwn }) => !isOwn);
  const missing = accepted.filter(({ state }) => state === 'sent').length;
  return (
    <p data-from={from.name}>
      <b>
        {from.name} → {to.name}
      </b>
      <span>{accepted.length} accepted</span>
      <span>{arrived.length} arrived</span>
      <span>{waiting} in the outbox</span>
      <span>{missing} on the way</span>
      <span>{twice(arrived)} twice</span>
    </p>
  );
}

function twice(entries: readonly Entry[]): number {
  return entries.length - new Set(entries.map(({ key }) => key)).size;
}
