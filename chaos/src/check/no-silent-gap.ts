import type { Connection } from './device-log';
import { Findings } from './findings';
import type { HistoryIndex } from './index-history';
import { Rising } from './rising';

/**
 * `caughtUp` comes once and is true: everything from the start of delivery up to its `seq` has arrived. Its `seq` is
 * at least the welcome's `lastSeq`, and that includes everything acknowledged before the connect.
 */
export function checkNoSilentGap(index: HistoryIndex): Findings {
  const findings = new Findings();
  const acknowledged = new Map<string, Rising>();
  for (const connection of index.devices.connections) {
    checkCaughtUp(connection, findings);
    const { name, device, connect, welcome } = connection;
    if (connect === null || welcome === null) continue;
    let newest = acknowledged.get(device.user);
    if (newest === undefined) {
      newest = acknowledgedIn(index, device.user);
      acknowledged.set(device.user, newest);
    }
    const known = newest.before(connect.i);
    if (welcome.v.lastSeq < known)
      findings.add(
        `event ${welcome.i}: ${name} is told of ${welcome.v.lastSeq} entries, where ${known} were acknowledged`,
      );
  }
  return findings;
}

/** The highest `seq` of an inbox that was acknowledged to its sender. */
function acknowledgedIn({ inboxes }: HistoryIndex, user: string): Rising {
  return new Rising(
    inboxes
      .of(user)
      .flatMap(({ seq, id, send: { acknowledged } }) =>
        acknowledged?.v.id === id ? [{ at: acknowledged.i, value: seq }] : [],
      ),
  );
}

function checkCaughtUp({ name, welcome, events }: Connection, findings: Findings): void {
  if (welcome === null) return;
  const { after, lastSeq } = welcome.v;
  const seen = new Set<number>();
  let isCaughtUp = false;
  for (const { i, f, v } of events) {
    if (f === 'message') seen.add(v.seq);
    if (f !== 'caughtUp') continue;
    const where = `event ${i}: ${name} has caught up`;
    if (isCaughtUp) findings.add(`${where} a second time`);
    isCaughtUp = true;
    if (v.seq < lastSeq) findings.add(`${where} with ${v.seq}, before the welcome's lastSeq ${lastSeq}`);
    const missing = missingSeqs(seen, after, v.seq);
    if (missing.length > 0) findings.add(`${where} with ${v.seq}, but did not get seq ${missing.join(', ')}`);
  }
}

const MAX_NAMED = 5;

/** The first few `seq` after `after`, up to `last`, that are missing from `seen`. */
function missingSeqs(seen: ReadonlySet<number>, after: number, last: number): number[] {
  const missing: number[] = [];
  for (let seq = after + 1; seq <= last && missing.length < MAX_NAMED; seq++)
    if (!seen.has(seq)) missing.push(seq);
  return missing;
}
