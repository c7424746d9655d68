import type { Connection } from './device-log';
import { Findings } from './findings';
import type { Place } from './inbox-log';
import type { HistoryIndex } from './index-history';

/** A message that a connection had to be sent. */
interface Wait {
  place: Place;
  /** Since when it could be: it was acknowledged, the device welcomed and reading, its window open. */
  from: number;
  /** True when only the 201 was waited for. */
  isFresh: boolean;
  /** When it came; null when it never did on this connection. */
  cameAt: number | null;
  deadline: number;
}

/**
 * Whoever is connected gets what is acknowledged, promptly, or at the latest when the faults on the way are over and
 * reconcile has run, without doing anything for it.
 */
export function checkLiveness(index: HistoryIndex): Findings {
  const findings = new Findings();
  forEachConnection(index, (connection, until) => {
    for (const { place, from, cameAt, deadline } of waitsOf(connection, until, index)) {
      if ((cameAt ?? until) <= deadline) continue;
      const end =
        cameAt === null ? `had not come ${ms(until - from)} later` : `came ${ms(cameAt - from)} later`;
      findings.add(
        `${connection.name} could be sent seq ${place.seq} (send ${place.send.key}) at t=${ms(from)}: it ${end}, allowed are ${ms(deadline - from)}`,
      );
    }
  });
  return findings;
}

/** The longest time from a 201 to the delivery at a device that waited for nothing else, ms. */
export function worstDelivery(index: HistoryIndex): number {
  let worst = 0;
  forEachConnection(index, (connection, until) => {
    for (const { isFresh, from, cameAt } of waitsOf(connection, until, index)) {
      if (isFresh && cameAt !== null) worst = Math.max(worst, cameAt - from);
    }
  });
  return worst;
}

/** Calls back with each welcomed connection and the time through which the device certainly was on it. */
function forEachConnection(
  { devices, lastT }: HistoryIndex,
  visit: (connection: Connection, until: number) => void,
): void {
  for (const { connections } of devices.byName.values()) {
    for (const [index, connection] of connections.entries()) {
      if (connection.welcome === null) continue;
      // The next one takes over, and the server is free to serve only that.
      const next = connections[index + 1]?.events[0]?.t ?? lastT;
      visit(connection, Math.min(connection.closed?.t ?? lastT, next));
    }
  }
}

function* waitsOf(connection: Connection, until: number, index: HistoryIndex): Generator<Wait> {
  const { welcome, messages, acks, device } = connection;
  if (welcome === null) return;
  const { inboxes, faults, options } = index;
  const cameAt = new Map(messages.map(({ t, v }) => [v.seq, t]));
  const isAuto = connection.connect?.v.ack === 'auto';
  const places = inboxes.of(device.user);
  // The window of a device with ack=auto never fills.
  const window = isAuto ? Number.POSITIVE_INFINITY : options.window;
  let opened = { through: welcome.v.after + window, at: welcome.t };
  let ack = 0;
  let looked = 0;
  for (let nth = firstBeyond(places, welcome.v.after); nth < places.length; nth++) {
    const place = places[nth];
    if (place === undefined) return;
    while (place.seq > opened.through) {
      const next = acks[ack++];
      if (next === undefined) return;
      const through = next.v.seq + window;
      if (through > opened.through) opened = { through, at: next.t };
    }
    const came = cameAt.get(place.seq) ?? null;
    // What comes after one that did not come waits for the same: a few of them tell enough.
    if (came === null && ++looked > options.window) return;
    const { acknowledged } = place.send;
    if (acknowledged === null || acknowledged.v.id !== place.id) continue;
    const ready = Math.max(acknowledged.t, opened.at);
    const from = hearsFrom(connection, ready, came, index);
    if (from > until) continue;
    const isFresh = from === acknowledged.t;
    yield { place, from, isFresh, cameAt: came, deadline: faults.deadline(from) };
  }
}

/** When the device was reading for long enough to get what could be sent at `ready`. */
function hearsFrom(
  { deaf }: Connection,
  ready: number,
  came: number | null,
  { faults }: HistoryIndex,
): number {
  let from = ready;
  for (const span of deaf) {
    const needed = Math.min(came ?? Number.POSITIVE_INFINITY, faults.deadline(from));
    if (span.to > from && span.from <= needed) from = span.to;
  }
  return from;
}

function firstBeyond(places: readonly Place[], seq: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle]?.seq ?? Number.POSITIVE_INFINITY) <= seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function ms(time: number): string {
  return `${Math.round(time)} ms`;
}
