import type { Session } from '../session/session';
import type { ConnectionTable } from './connection-table';

/** The share of the time in which connections are sent away. The rest is for their last acknowledgements. */
const SPREAD = 0.8;

/**
 * Sends `goodbye` and closes with 1012 (PROTOCOL §5.10). Each client gets a random time to wait, so that they do not
 * all reconnect at once.
 * @param withinMs the longest time that a client is asked to wait
 */
export function sendAway(session: Session, withinMs: number): void {
  session.send({ type: 'goodbye', reconnectAfterMs: Math.floor(Math.random() * withinMs) });
  session.close('serviceRestart');
}

/** Sends all connections away, spread over `drainMs`, including those that are still being opened. */
export async function stopConnections(table: ConnectionTable, drainMs: number): Promise<void> {
  const end = Date.now() + drainMs * SPREAD;
  while (table.size > 0) {
    const left = end - Date.now();
    const sessions = [...table.all()];
    const stepMs = 50;
    const share =
      left <= 0 ? sessions.length : Math.ceil((sessions.length * stepMs) / Math.max(left, stepMs));
    for (const session of sessions.slice(0, share)) sendAway(session, drainMs);
    if (table.size > 0)
      await new Promise((resolve) => setTimeout(resolve, Math.min(stepMs, Math.max(0, left))));
  }
}
