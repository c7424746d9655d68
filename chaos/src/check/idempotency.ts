import { Findings } from './findings';
import type { HistoryIndex } from './index-history';
import type { Send } from './send-log';

/**
 * However often and wherever a key is used, it makes one message, one row and one 201, and no other body is accepted
 * under it.
 */
export function checkIdempotency({ sends, store }: HistoryIndex): Findings {
  const findings = new Findings();
  for (const send of sends.byKey.values()) checkAnswers(send, findings);
  const rows = new Map<Send, string>();
  for (const row of store?.messages ?? []) {
    const send = sends.ofId(row.id);
    if (send === undefined) continue;
    const other = rows.get(send);
    if (other === undefined) rows.set(send, row.id);
    else findings.add(`send ${send.key} has two rows, ${other} and ${row.id}`);
  }
  return findings;
}

function checkAnswers({ key, oks, attempts, twists }: Send, findings: Findings): void {
  const ids = new Set(oks.map(({ v }) => v.id));
  if (ids.size > 1) findings.add(`send ${key} was answered with ${[...ids].join(' and ')}`);
  const created = oks.filter(({ v }) => v.http === 201).length;
  if (created > 1) findings.add(`send ${key} was answered 201 ${created} times`);
  // Somebody must have received the 201, or would have without a broken connection.
  const isAllTold = attempts.every(({ end }) => end !== null && end.type !== 'info');
  if (created === 0 && oks.length > 0 && isAllTold)
    findings.add(`send ${key} was answered 200, although nothing was sent with it before`);
  for (const { end } of twists) {
    if (end?.type === 'ok')
      findings.add(`event ${end.i}: send ${key} was answered ${end.v.http} for another body`);
  }
}
