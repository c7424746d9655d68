import type { StoreState } from '../history/history';
import { Findings } from './findings';
import type { HistoryIndex } from './index-history';

/**
 * The store has everything that was acknowledged, perhaps what is unknown, and nothing that was refused. Each message
 * is as it was sent, with an inbox entry for exactly its recipients.
 */
export function checkStore({ sends, store }: HistoryIndex): Findings {
  const findings = new Findings();
  if (store === null) return findings;
  const recipients = entriesByMessage(store);
  const ids = new Set<string>();
  for (const row of store.messages) {
    ids.add(row.id);
    const send = sends.ofId(row.id);
    const where = `the store's message ${row.id}`;
    if (send === undefined) {
      findings.add(`${where} was sent by nobody`);
      continue;
    }
    if (send.outcome === 'refused') findings.add(`${where} was refused (send ${send.key})`);
    if (row.sender !== send.from || row.h !== send.h || !isSame(new Set(row.to), send.to))
      findings.add(`${where} is not what was sent (send ${send.key})`);
    const entries = recipients.get(row.id) ?? new Set();
    if (!isSame(entries, send.to))
      findings.add(
        `${where} is in the inboxes of [${[...entries].join(', ')}], not of [${[...send.to].join(', ')}]`,
      );
  }
  for (const id of recipients.keys()) {
    if (!ids.has(id)) findings.add(`the store has inbox entries of ${id}, but not the message`);
  }
  for (const { key, acknowledged } of sends.byKey.values()) {
    if (acknowledged !== null && !ids.has(acknowledged.v.id))
      findings.add(`send ${key} was acknowledged as ${acknowledged.v.id}, which is not in the store`);
  }
  return findings;
}

function entriesByMessage({ entries }: StoreState): Map<string, Set<string>> {
  const recipients = new Map<string, Set<string>>();
  for (const { id, user } of entries) {
    const known = recipients.get(id);
    if (known === undefined) recipients.set(id, new Set([user]));
    else known.add(user);
  }
  return recipients;
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((item) => b.has(item));
}
