import type { Connection, Device } from './device-log';
import { Findings } from './findings';
import type { HistoryIndex } from './index-history';

/**
 * A cursor is what the device acknowledged: at least what was answered with ok, at most what was requested. It also
 * skips nothing: every message at or below it came to the device, however late it was committed.
 */
export function checkCursorSafety(index: HistoryIndex): Findings {
  const findings = new Findings();
  for (const device of index.devices.byName.values()) {
    for (const connection of device.connections) checkStart(connection, findings);
    if (!device.isAuto) checkPassedBy(device, index, findings);
  }
  for (const { user, device: name, cursor } of index.store?.devices ?? []) {
    const device = index.devices.byName.get(`${user}/${name}`);
    if (device === undefined) continue;
    const ceiling = device.isAuto ? Number.POSITIVE_INFINITY : device.ackedAtAll;
    checkBounds(cursor, device.ackedOk, ceiling, `the store's cursor of ${device.name}`, findings);
  }
  return findings;
}

function checkStart(connection: Connection, findings: Findings): void {
  const { name, connect, welcome, floor, followsAuto } = connection;
  if (connect === null || welcome === null) return;
  const where = `event ${welcome.i}: the start of ${name}`;
  const { after, lastSeq } = welcome.v;
  if (connection.startsWhereAsked) {
    if (after !== connect.v.after) findings.add(`${where} is ${after}, asked was for ${connect.v.after}`);
    return;
  }
  checkBounds(after, floor, followsAuto ? lastSeq : connection.ceiling, where, findings);
}

function checkBounds(
  cursor: number,
  floor: number,
  ceiling: number,
  where: string,
  findings: Findings,
): void {
  if (cursor < floor)
    findings.add(`${where} is ${cursor}, although ${floor} was acknowledged and answered with ok`);
  if (cursor > ceiling)
    findings.add(`${where} is ${cursor}, although no more than ${ceiling} was acknowledged`);
}

/** A device acknowledges only what it got, so everything at or below its cursor must have come to it. */
function checkPassedBy(device: Device, { inboxes }: HistoryIndex, findings: Findings): void {
  const received = device.received();
  for (const { seq, id } of inboxes.of(device.user)) {
    if (seq > device.ackedOk) return;
    if (seq > device.skipped && !received.has(id))
      findings.add(`the cursor of ${device.name} has passed seq ${seq} (${id}), which never came`);
  }
}
