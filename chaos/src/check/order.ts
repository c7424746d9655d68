import { Findings } from './findings';
import type { HistoryIndex } from './index-history';
import { findResends } from './resends';

/**
 * On one connection each `seq` is one more than the last. If a send was acknowledged before another began, it comes
 * first in every inbox that has both. Repeated messages are above the device's acknowledgement.
 */
export function checkOrder(index: HistoryIndex): Findings {
  const findings = new Findings();
  checkConnections(index, findings);
  checkInboxes(index, findings);
  for (const { connection, message } of findResends(index).below) {
    const { name, floor } = connection;
    findings.add(
      `event ${message.i}: ${name} got seq ${message.v.seq} again, although it has all through ${floor}`,
    );
  }
  return findings;
}

function checkConnections({ devices }: HistoryIndex, findings: Findings): void {
  for (const { name, welcome, messages } of devices.connections) {
    let last = welcome?.v.after;
    for (const { i, v } of messages) {
      if (last !== undefined && v.seq !== last + 1)
        findings.add(`event ${i}: ${name} got seq ${v.seq} after ${last}`);
      last = v.seq;
    }
  }
}

/** From newest to oldest: no entry may have begun after a newer one was acknowledged. */
function checkInboxes({ inboxes }: HistoryIndex, findings: Findings): void {
  for (const user of inboxes.users()) {
    let earliest = { ok: Number.POSITIVE_INFINITY, seq: 0 };
    for (const { seq, send } of inboxes.of(user).toReversed()) {
      if (earliest.ok < send.begunAt)
        findings.add(
          `in the inbox of ${user} send ${send.key} is at ${seq}, before ${earliest.seq}, which was acknowledged at event ${earliest.ok}, before that send was begun at event ${send.begunAt}`,
        );
      const ok = send.acknowledged?.i;
      if (ok !== undefined && ok < earliest.ok) earliest = { ok, seq };
    }
  }
}
