import type { ClientFrame } from '@posthorn/protocol';
import type { Session } from '../session/session';
import type { FrameContext } from './frame-context';

/** Handles `read`: the user has read these messages (PROTOCOL §5.3). `ok` follows the commit. */
export async function handleRead(
  session: Session,
  frame: ClientFrame & { type: 'read' },
  context: FrameContext,
): Promise<void> {
  await context.reads.record(session, frame);
}
