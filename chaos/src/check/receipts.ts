import type { EventOf } from '../history/event-of';
import type { StoreState } from '../history/history';
import { Findings } from './findings';
import type { HistoryIndex } from './index-history';
import { Rising } from './rising';

type Row = StoreState['receipts'][number];

/** The user's actions that make receipts, by their places in the history. */
interface Doings {
  /** The highest `seq` that one of the user's devices asked to acknowledge. */
  acked: Rising;
  /** From here on a device with `ack=auto` may have acknowledged just by getting messages. */
  autoFrom: number;
  /** When a message was first marked as read. */
  read: Map<string, number>;
}

/**
 * A receipt records an action of a recipient, once, at one time. No receipt exists without an acknowledgement or a
 * `read`, and none that was answered with ok is missing. Frames agree with the store.
 */
export function checkReceipts(index: HistoryIndex): Findings {
  const findings = new Findings();
  const doings = new Map<string, Doings>();
  const doingsOf = (user: string): Doings => {
    let found = doings.get(user);
    if (found === undefined) {
      found = doingsIn(index, user);
      doings.set(user, found);
    }
    return found;
  };
  const rows = rowsByMessage(index, findings);
  for (const row of index.store?.receipts ?? []) checkRow(row, index, doingsOf(row.user), findings);
  for (const { name, events } of index.devices.connections) {
    for (const event of events)
      if (event.f === 'receipt') checkFrame(event, name, index, doingsOf(event.v.user), rows, findings);
  }
  if (index.store !== null) checkPromises(index, rows, findings);
  return findings;
}

function doingsIn({ devices }: HistoryIndex, user: string): Doings {
  const connections = (devices.byUser.get(user) ?? []).flatMap((device) => device.connections);
  const acks = connections.flatMap((connection) => connection.acks);
  const read = new Map<string, number>();
  let autoFrom = Number.POSITIVE_INFINITY;
  for (const { connect, events } of connections) {
    if (connect?.v.ack === 'auto') autoFrom = Math.min(autoFrom, connect.i);
    for (const event of events) {
      if (event.f !== 'read' || event.type !== 'invoke') continue;
      for (const id of event.v.ids) read.set(id, Math.min(read.get(id) ?? event.i, event.i));
    }
  }
  return { acked: new Rising(acks.map(({ i, v }) => ({ at: i, value: v.seq }))), autoFrom, read };
}

/** User → message → row. */
type Rows = Map<string, Map<string, Row>>;

function rowsByMessage({ store }: HistoryIndex, findings: Findings): Rows {
  const rows: Rows = new Map();
  for (const row of store?.receipts ?? []) {
    let ofUser = rows.get(row.user);
    if (ofUser === undefined) {
      ofUser = new Map();
      rows.set(row.user, ofUser);
    }
    if (ofUser.has(row.id)) findings.add(`the store has two receipts of ${row.id} by ${row.user}`);
    ofUser.set(row.id, row);
  }
  return rows;
}

/** When a message may first count as delivered to the user, and as read. */
function earliest(
  user: string,
  id: string,
  { inboxes }: HistoryIndex,
  doings: Doings,
): { delivered: number; read: number } {
  const seq = inboxes.seqOf(user, id);
  const read = doings.read.get(id) ?? Number.POSITIVE_INFINITY;
  if (seq === undefined) return { delivered: Number.POSITIVE_INFINITY, read };
  return { delivered: Math.min(doings.acked.reached(seq), doings.autoFrom), read };
}

function checkRow(
  { id, user, deliveredAt, readAt }: Row,
  index: HistoryIndex,
  doings: Doings,
  findings: Findings,
): void {
  const where = `the store's receipt of ${id} by ${user}`;
  if (index.sends.ofId(id)?.to.has(user) !== true) {
    findings.add(`${where} is of a message that did not go there`);
    return;
  }
  const from = earliest(user, id, index, doings);
  if (readAt === null) {
    if (from.delivered === Number.POSITIVE_INFINITY)
      findings.add(`${where} is of nothing that was acknowledged`);
    return;
  }
  if (from.read === Number.POSITIVE_INFINITY) findings.add(`${where} says read, which the user never said`);
  if (Date.parse(readAt) < Date.parse(deliveredAt)) findings.add(`${where} was read before it was delivered`);
}

function checkFrame(
  { i, v }: EventOf<'ok', 'receipt'>,
  name: string,
  index: HistoryIndex,
  doings: Doings,
  rows: Rows,
  findings: Findings,
): void {
  const where = `event ${i}: ${name} is told that ${v.user} has ${v.id} ${v.status}`;
  const from = earliest(v.user, v.id, index, doings);
  if (i < (v.status === 'read' ? from.read : from.delivered)) findings.add(`${where} before that was said`);
  if (index.store === null) return;
  const row = rows.get(v.user)?.get(v.id);
  const at = v.status === 'read' ? row?.readAt : row?.deliveredAt;
  if (at === undefined || at === null) findings.add(`${where}, which is not in the store`);
  else if (Date.parse(at) !== Date.parse(v.at)) findings.add(`${where} at ${v.at}, not ${at}`);
}

/** Everything answered with ok is in the store, and nothing was delivered before it was sent. */
function checkPromises({ devices, inboxes, store }: HistoryIndex, rows: Rows, findings: Findings): void {
  const createdAt = new Map(store?.messages.map((message) => [message.id, Date.parse(message.createdAt)]));
  for (const { id, user, deliveredAt } of store?.receipts ?? []) {
    const created = createdAt.get(id);
    if (created !== undefined && Date.parse(deliveredAt) < created)
      findings.add(`the store's receipt of ${id} by ${user} is from before the message`);
  }
  for (const [user, ofUser] of devices.byUser) {
    const acked = ofUser.reduce((highest, { ackedOk }) => Math.max(highest, ackedOk), 0);
    for (const { seq, id } of inboxes.of(user)) {
      if (seq > acked) break;
      if (!rows.get(user)?.has(id))
        findings.add(`${user} acknowledged ${id} (seq ${seq}), and there is no receipt of it`);
    }
  }
  for (const { name, device, events } of devices.connections) {
    for (const event of events) {
      if (event.f !== 'read' || event.type !== 'ok') continue;
      for (const id of event.v.ids) {
        const readAt = rows.get(device.user)?.get(id)?.readAt ?? null;
        if (readAt === null)
          findings.add(`event ${event.i}: ${name} read ${id}, and there is no receipt of it`);
      }
    }
  }
}
