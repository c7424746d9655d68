import { Findings } from './findings';
import { type HistoryIndex, isFinished } from './index-history';
import type { SendLog } from './send-log';

/**
 * Every acknowledged message came to every device of every recipient that was there at the end, including fresh
 * devices. Devices with ack=auto are left out, because what a dying connection swallowed is gone for them.
 */
export function checkNoLoss(index: HistoryIndex): Findings {
  const findings = new Findings();
  const acknowledged = acknowledgedByRecipient(index.sends);
  for (const device of index.devices.byName.values()) {
    if (device.isAuto || !isFinished(index, device)) continue;
    const received = device.received();
    for (const { id, key } of acknowledged.get(device.user) ?? []) {
      if (received.has(id)) continue;
      const seq = index.inboxes.seqOf(device.user, id);
      // The device itself asked not to get this message.
      if (seq !== undefined && seq <= device.skipped) continue;
      findings.add(`${device.name} never got ${id} (send ${key}, seq ${seq ?? 'unknown'})`);
    }
  }
  return findings;
}

function acknowledgedByRecipient(sends: SendLog): Map<string, { id: string; key: string }[]> {
  const found = new Map<string, { id: string; key: string }[]>();
  for (const { key, to, acknowledged } of sends.byKey.values()) {
    if (acknowledged === null) continue;
    for (const user of to) {
      const message = { id: acknowledged.v.id, key };
      const messages = found.get(user);
      if (messages === undefined) found.set(user, [message]);
      else messages.push(message);
    }
  }
  return found;
}
