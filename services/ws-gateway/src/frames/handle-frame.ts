import { parseClientFrame } from '@posthorn/protocol';
import type { Session } from '../session/session';
import { handleAck } from './ack';
import { handleAuth } from './auth';
import type { FrameContext } from './frame-context';
import { handlePing } from './ping';
import { handleRead } from './read';

/** Handles one text frame of a client. A bad frame changes nothing and gets an `error` frame (PROTOCOL §5.4). */
export async function handleFrame(session: Session, text: string, context: FrameContext): Promise<void> {
  const parsed = parseClientFrame(text);
  if ('fault' in parsed) {
    const { code, detail, ref } = parsed.fault;
    context.metrics.badFrames.inc({ code });
    session.refuse(code, detail, ref);
    return;
  }
  const { frame } = parsed;
  switch (frame.type) {
    case 'ack':
      return handleAck(session, frame, context);
    case 'read':
      return await handleRead(session, frame, context);
    case 'auth':
      return await handleAuth(session, frame, context);
    case 'ping':
      return handlePing(session, frame);
  }
}
