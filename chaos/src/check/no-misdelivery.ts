import { Findings } from './findings';
import type { HistoryIndex } from './index-history';

/** Messages come only to their recipients, and receipts only to the message's sender. */
export function checkNoMisdelivery({ devices, sends }: HistoryIndex): Findings {
  const findings = new Findings();
  for (const { name, device, events } of devices.connections) {
    for (const event of events) {
      if (event.f === 'message') {
        const send = sends.ofMessage(event.v);
        if (send === undefined || send.to.has(device.user)) continue;
        findings.add(`event ${event.i}: ${name} got ${event.v.id}, which is for ${[...send.to].join(', ')}`);
      } else if (event.f === 'receipt') {
        const send = sends.ofId(event.v.id);
        if (send === undefined || send.from === device.user) continue;
        findings.add(`event ${event.i}: ${name} got a receipt of ${event.v.id}, which ${send.from} sent`);
      }
    }
  }
  return findings;
}
