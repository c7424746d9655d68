import type { ClientFrame } from '@posthorn/protocol';
import type { Session } from '../session/session';

/** For browsers, which cannot send protocol pings. */
export function handlePing(session: Session, { ref }: ClientFrame & { type: 'ping' }): void {
  session.forgiveBadFrames();
  session.send({ type: 'pong', ...(ref === undefined ? {} : { ref }) });
}
