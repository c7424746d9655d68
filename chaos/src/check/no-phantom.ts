import { Findings } from './findings';
import type { HistoryIndex } from './index-history';

/** Every delivered message was sent, was not refused, is unchanged, and shows `to` only to its sender. */
export function checkNoPhantom({ devices, sends }: HistoryIndex): Findings {
  const findings = new Findings();
  for (const { name, device, messages } of devices.connections) {
    for (const { i, v } of messages) {
      const send = sends.ofMessage(v);
      const where = `event ${i}: ${name} got ${v.id}`;
      if (send === undefined) findings.add(`${where}, which nobody sent`);
      else if (send.outcome === 'refused') findings.add(`${where}, which was refused (send ${send.key})`);
      else if (send.h !== v.h) findings.add(`${where} with another content than was sent (send ${send.key})`);
      else if (send.from !== v.from) findings.add(`${where} from ${v.from}, not ${send.from}`);
      else if ((v.hasTo === true) !== (send.from === device.user))
        findings.add(`${where} ${v.hasTo ? 'with `to`, of another sender' : 'without `to`, as its sender'}`);
    }
  }
  return findings;
}
