import type { ClientFrame } from '@posthorn/protocol';
import type { Session } from '../session/session';
import type { FrameContext } from './frame-context';

/** The user has read these messages. `ok` follows once that is committed. */
export async function handleRead(
  session: Session,
  frame: ClientFrame & { type: 'read' },
  context: FrameContext,
): Promise<void> {
  await context.reads.record(session, frame);
}
