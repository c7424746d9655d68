import type { ClientFrame } from '@posthorn/protocol';
import { KeySourceError, TokenError } from '@posthorn/runtime';
import type { Session } from '../session/session';
import type { FrameContext } from './frame-context';

/**
 * Handles `auth`: a fresh token of the same user (PROTOCOL §5.3). From then on the connection may live until that
 * token ends. After an error the old token still counts.
 */
export async function handleAuth(
  session: Session,
  { token, ref }: ClientFrame & { type: 'auth' },
  context: FrameContext,
): Promise<void> {
  const number = session.offerToken();
  try {
    const identity = await context.tokens.verify(token);
    if (identity.user !== session.user) {
      context.metrics.badFrames.inc({ code: 'wrong_user' });
      session.refuse('wrong_user', 'the token names another user', ref);
      return;
    }
    session.takeToken(number, identity.expiresAtMs);
    session.forgiveBadFrames();
    session.ok(ref);
  } catch (error) {
    if (error instanceof KeySourceError) {
      session.fail('unavailable', 'the token cannot be verified now', ref);
      return;
    }
    if (!(error instanceof TokenError)) throw error;
    context.metrics.badFrames.inc({ code: 'invalid_token' });
    session.refuse('invalid_token', 'the token is not valid', ref);
  }
}
