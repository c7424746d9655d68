import type { Connection, SeenEvent } from './device-log';
import { Findings } from './findings';
import type { HistoryIndex } from './index-history';

/**
 * The first frame of a connection is a welcome with a unique name, and there is only one. After its close nothing
 * comes.
 */
export function checkSessions({ devices }: HistoryIndex): Findings {
  const findings = new Findings();
  const sessions = new Set<string>();
  for (const connection of devices.connections) {
    checkConnection(connection, findings);
    const { name, welcome } = connection;
    if (welcome === null) continue;
    if (sessions.has(welcome.v.session)) findings.add(`${name} has the session of another connection`);
    sessions.add(welcome.v.session);
  }
  return findings;
}

function checkConnection({ name, events }: Connection, findings: Findings): void {
  let state: 'before' | 'open' | 'closed' = 'before';
  for (const event of events) {
    const where = `event ${event.i}: ${name} got ${event.f}`;
    if (event.f === 'closed' || event.type === 'fail') state = 'closed';
    if (!isFrame(event)) continue;
    if (state === 'closed') findings.add(`${where} after its end`);
    else if (event.f === 'welcome' && state === 'open') findings.add(`${where} a second time`);
    else if (event.f !== 'welcome' && state === 'before') findings.add(`${where} before its welcome`);
    else state = 'open';
  }
}

/** Whether the server sent this. An unanswered acknowledgement is `info`. */
function isFrame({ type, f }: SeenEvent): boolean {
  return type === 'ok' || f === 'goodbye';
}
