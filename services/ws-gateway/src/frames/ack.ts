import type { ClientFrame } from '@posthorn/protocol';
import type { Session } from '../session/session';
import type { FrameContext } from './frame-context';

/** Handles `ack`: the device has everything up to `seq` (PROTOCOL §5.3). `ok` follows the commit. */
export function handleAck(
  session: Session,
  frame: ClientFrame & { type: 'ack' },
  context: FrameContext,
): void {
  if (session.acknowledge(frame.seq, frame.ref)) {
    session.forgiveBadFrames();
    return;
  }
  context.metrics.badFrames.inc({ code: 'ack_beyond_sent' });
  session.refuse('ack_beyond_sent', `seq ${frame.seq} was not sent on this connection`, frame.ref);
}
