import type { ConnectionPage, ConnectionView } from '@posthorn/routing';
import type { Session } from '../session/session';
import type { ConnectionTable } from './connection-table';

/** One page of this gateway's connections, for an operator. It leaves out the first `after` connections. */
export function connectionPage(
  table: ConnectionTable,
  { after, limit }: { after: number; limit: number },
  nowMs: number,
): ConnectionPage {
  const items: ConnectionView[] = [];
  let place = 0;
  for (const session of table.all()) {
    place += 1;
    if (place <= after) continue;
    if (items.length >= limit) break;
    items.push(viewOf(session, nowMs));
  }
  return { connections: table.size, items };
}

function viewOf(
  { user, device, state, openedAtMs, delivery, transport }: Session,
  nowMs: number,
): ConnectionView {
  return {
    user,
    device,
    state,
    connectedForMs: Math.round(nowMs - openedAtMs),
    sent: delivery?.sent ?? null,
    acknowledged: delivery === null ? null : delivery.sent - delivery.inFlight,
    newest: delivery?.newest ?? null,
    bufferedBytes: transport?.bufferedBytes ?? 0,
  };
}
