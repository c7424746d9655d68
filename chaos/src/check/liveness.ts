import type { Connection } from './device-log';
import { Findings } from './findings';
import type { Place } from './inbox-log';
import type { HistoryIndex } from './index-history';

/** A message that a connection had to get. */
interface Wait {
  place: Place;
  /**
   * When it could be sent: it was acknowledged to its sender, and the device was welcomed and reading, with space in
   * its window.
   */
  from: number;
  /** Whether only the 201 was missing. */
  isFresh: boolean;
  /** When it came; null if it never came on this connection. */
  cameAt: number | null;
  deadline: number;
}

/**
 * A connected device gets acknowledged messages promptly. If faults are in the way, it gets them once the faults are
 * over and reconcile has run. It need not do anything for that.
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

/** The longest time from a 201 to the delivery to a device that waited for nothing else, in ms. */
export function worstDelivery(index: HistoryIndex): number {
  let worst = 0;
  forEachConnection(index, (connection, until) => {
    for (const { isFresh, from, cameAt } of waitsOf(connection, until, index)) {
      if (isFresh && cameAt !== null) worst = Math.max(worst, cameAt - from);
    }
  });
  return worst;
}

/** Calls back with each welcomed connection and the time until which the device certainly used it. */
function forEachConnection(
  { devices, lastT }: HistoryIndex,
  visit: (connection: Connection, until: number) => void,
): void {
  for (const { connections } of devices.byName.values()) {
    for (const [index, connection] of connections.entries()) {
      if (connection.welcome === null) continue;
      // The next connection takes over, and the server may then serve only that one.
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
    // Messages after a missing one wait for the same reason, so a few of them are enough.
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

/** From when the device was reading long enough to get what could be sent at `ready`. */
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
