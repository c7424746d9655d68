import type { ClientFrame } from '@posthorn/protocol';
import type { Session } from '../session/session';

/** Handles `ping`. Browsers need it because they cannot send protocol pings (PROTOCOL §5.3). */
export function handlePing(session: Session, { ref }: ClientFrame & { type: 'ping' }): void {
  session.forgiveBadFrames();
  session.send({ type: 'pong', ...(ref === undefined ? {} : { ref }) });
}
