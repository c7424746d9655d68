import type { StoreState } from '../history/history';
import { Findings } from './findings';
import type { HistoryIndex } from './index-history';

/** An inbox as everybody must see it. */
interface Inbox {
  idBySeq: Map<number, string>;
  seqById: Map<string, number>;
}

/**
 * In each inbox `seq` and message match one to one, on every device and in the store. The store has each `seq` from 1
 * to the newest. Everything belongs to one epoch.
 */
export function checkSequenceAgreement({ devices, store }: HistoryIndex): Findings {
  const findings = new Findings();
  const inboxes = new Map<string, Inbox>();
  for (const { user, seq, id } of store?.entries ?? [])
    agree(inboxOf(inboxes, user), seq, id, `the store's inbox of ${user}`, findings);
  if (store !== null) checkGapless(store, inboxes, findings);

  let epoch = store?.epoch;
  for (const { name, device, events } of devices.connections) {
    const inbox = inboxOf(inboxes, device.user);
    for (const event of events) {
      if (event.f === 'welcome') {
        epoch ??= event.v.epoch;
        if (event.v.epoch !== epoch)
          findings.add(`event ${event.i}: ${name} is in epoch ${event.v.epoch}, not ${epoch}`);
      } else if (event.f === 'message') {
        const { seq, id } = event.v;
        if (store !== null && !inbox.idBySeq.has(seq))
          findings.add(`event ${event.i}: ${name} got seq ${seq}, which is not in the store's inbox`);
        agree(inbox, seq, id, `event ${event.i}: ${name}`, findings);
      }
    }
  }
  return findings;
}

function inboxOf(inboxes: Map<string, Inbox>, user: string): Inbox {
  let inbox = inboxes.get(user);
  if (inbox === undefined) {
    inbox = { idBySeq: new Map(), seqById: new Map() };
    inboxes.set(user, inbox);
  }
  return inbox;
}

/** The first observation counts, and everything that contradicts it is a finding. */
function agree(
  { idBySeq, seqById }: Inbox,
  seq: number,
  id: string,
  where: string,
  findings: Findings,
): void {
  const knownId = idBySeq.get(seq);
  if (knownId === undefined) idBySeq.set(seq, id);
  else if (knownId !== id) findings.add(`${where} has ${id} at seq ${seq}, where ${knownId} is`);
  const knownSeq = seqById.get(id);
  if (knownSeq === undefined) seqById.set(id, seq);
  else if (knownSeq !== seq) findings.add(`${where} has ${id} at seq ${seq}, which is at ${knownSeq}`);
}

function checkGapless(store: StoreState, inboxes: Map<string, Inbox>, findings: Findings): void {
  const counters = new Map(store.inboxes.map(({ user, newestSeq }) => [user, newestSeq]));
  for (const user of new Set([...inboxes.keys(), ...counters.keys()])) {
    const { idBySeq } = inboxOf(inboxes, user);
    let highest = 0;
    for (const seq of idBySeq.keys()) highest = Math.max(highest, seq);
    const newest = counters.get(user) ?? 0;
    if (highest !== newest || idBySeq.size !== newest)
      findings.add(
        `the inbox of ${user} has ${idBySeq.size} entries up to ${highest}, its counter is ${newest}`,
      );
  }
}
