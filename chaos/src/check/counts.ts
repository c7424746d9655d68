import type { HistoryIndex } from './index-history';
import { worstDelivery } from './liveness';
import { findResends } from './resends';
import type { Attempt, Send, SendLog } from './send-log';
import type { Counts, Invariant } from './verdict';

/** The prefix of the ids of faults that concern Redis. */
const REDIS_FAULTS = 'redis-';

/**
 * The figures of a run.
 * @param found how many cases the check of each invariant found
 */
export function countHistory(index: HistoryIndex, found: (invariant: Invariant) => number): Counts {
  const { sends, devices, faults } = index;
  const outcomes = { acknowledged: 0, refused: 0, unknown: 0 };
  for (const send of sends.byKey.values()) outcomes[send.outcome]++;
  const deliveries = devices.connections.reduce((sum, { messages }) => sum + messages.length, 0);
  const resends = findResends(index);
  return {
    attempts: sends.attempts.length,
    acknowledged: outcomes.acknowledged,
    recovered: countRecovered(index),
    refused: outcomes.refused,
    deliveries,
    resent: deliveries === 0 ? 0 : resends.again / deliveries,
    duplicatesBelowCursor: resends.below.length,
    lost: found('no loss'),
    misdelivered: found('no misdelivery'),
    phantoms: found('no phantom'),
    inversions: found('order') - resends.below.length,
    gaps: found('no silent gap'),
    faultsInjected: faults.spans.length,
    faultsProven: faults.spans.filter(({ effect }) => effect !== null).length,
    redisFaultSends: summarize(sends, (begun, ended) => {
      const ids = faults.during(begun, ended);
      return ids.length > 0 && ids.every((id) => id.startsWith(REDIS_FAULTS));
    }),
    quietSends: summarize(sends, (begun, ended) => faults.isQuiet(begun, ended)),
    worstDeliveryMs: worstDelivery(index),
  };
}

/** Sends with an outcome that the sender never learned, but whose message exists. */
function countRecovered({ sends, store, devices }: HistoryIndex): number {
  const found = new Set<Send | undefined>();
  for (const { id } of store?.messages ?? []) found.add(sends.ofId(id));
  for (const { messages } of devices.connections) for (const { v } of messages) found.add(sends.ofMessage(v));
  return [...found].filter((send) => send?.outcome === 'unknown').length;
}

/**
 * The results of the attempts in some periods. Attempts that were refused for their content say nothing about the
 * system and are left out.
 */
function summarize(sends: SendLog, isMeant: (begun: number, ended: number) => boolean): Counts['quietSends'] {
  const meant = sends.attempts.filter(
    ({ begun, end }) => end !== null && end.type !== 'fail' && isMeant(begun.t, end.t),
  );
  const oks = meant.flatMap((attempt) => okMs(attempt));
  return { total: meant.length, ok: oks.length, p99Ms: percentile(oks, 0.99) };
}

function okMs({ end }: Attempt): number[] {
  return end?.type === 'ok' ? [end.v.ms] : [];
}

/** The value that this share of the values does not exceed; 0 without values. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
