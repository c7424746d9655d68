import type { HistoryEvent } from '../history/history';
import { endOfFinal, type HistoryIndex, isFinished } from './index-history';

/** What a run must have done at least once to prove anything, as `type f`. */
const OPERATIONS = ['ok send', 'ok message', 'ok ack', 'ok read', 'ok receipt'];
const MIN_PROVEN = 0.95;
const MAX_ODDITIES = 5;

/** Why this history cannot prove that everything is right. */
export function findDoubts(events: readonly HistoryEvent[], index: HistoryIndex): string[] {
  return [
    ...findMissing(events, index),
    ...findUnproven(index),
    ...findUnfinished(index),
    ...index.oddities.slice(0, MAX_ODDITIES),
  ];
}

function findMissing(events: readonly HistoryEvent[], { store, end }: HistoryIndex): string[] {
  const seen = new Set(events.map(({ type, f }) => `${type} ${f}`));
  return [
    ...OPERATIONS.filter((name) => !seen.has(name)).map((name) => `there is no '${name}' at all`),
    ...(store === null ? ['the store was not read'] : []),
    ...(end === null ? ['it was not looked at what is left at the end'] : []),
  ];
}

function findUnproven({ faults: { spans } }: HistoryIndex): string[] {
  const unproven = spans.filter(({ effect }) => effect === null);
  if (spans.length - unproven.length >= MIN_PROVEN * spans.length) return [];
  const ids = [...new Set(unproven.map(({ id }) => id))].join(', ');
  return [`${unproven.length} of ${spans.length} faults had no effect that was seen: ${ids}`];
}

function findUnfinished(index: HistoryIndex): string[] {
  const { phases, devices } = index;
  const doubts: string[] = [];
  if (endOfFinal(index) === null) doubts.push('the final phase was not reached, or did not end');
  if (!phases.has('fresh')) doubts.push('no fresh devices read the inboxes');
  for (const device of devices.byName.values()) {
    if (!isFinished(index, device)) doubts.push(`${device.name} did not catch up in the end`);
  }
  for (const [user, ofUser] of devices.byUser) {
    if (!ofUser.some(({ isFresh }) => isFresh)) doubts.push(`${user} has no fresh device`);
  }
  return doubts;
}
