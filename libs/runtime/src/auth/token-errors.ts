import { errors } from 'jose';
import { type Problem, problem } from '../problems/problem';

/** Why a token is refused. */
export type TokenErrorReason = 'expired' | 'not_yet_valid' | 'invalid';

/** The token is refused. `message` is safe to show and never holds any of the token. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly reason: TokenErrorReason;

  constructor(reason: TokenErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The key set cannot be read, so nobody can tell whether the token is good: 503, not 401. */
export class KeySourceError extends Error {
  override readonly name = 'KeySourceError';

  constructor(cause: unknown) {
    super('The key set of AUTH_JWKS_URL cannot be read.', { cause });
  }
}

/** What an error of jose means here. Anything unknown means that the token is not valid. */
export function tokenErrorFrom(error: unknown): TokenError | KeySourceError {
  if (error instanceof TokenError || error instanceof KeySourceError) {
    return error;
  }
  if (error instanceof errors.JWTExpired) {
    return new TokenError('expired', 'The token has expired.');
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    // Both names come from jose's own checks, not from the token.
    return error.claim === 'nbf' && error.reason === 'check_failed'
      ? new TokenError('not_yet_valid', 'The token is not valid yet.')
      : new TokenError('invalid', `The token's "${error.claim}" is missing or not what is expected.`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return new TokenError('invalid', "The token's algorithm is not accepted.");
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return new TokenError('invalid', "The token's key is not in the key set.");
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new TokenError('invalid', "The token's signature is wrong.");
  }
  return new TokenError('invalid', 'The token is not valid.');
}

/**
 * The answer to a request whose token was refused: pass what `TokenVerifier.verify` threw, or `null` where there
 * was no token. An error of another kind is the caller's to handle and comes back as `internal`.
 */
export function problemOfToken(error: unknown): Problem {
  if (error === null) {
    return problem('unauthorized', { detail: 'There is no bearer token.' });
  }
  if (error instanceof TokenError) {
    const challenge = `Bearer error="invalid_token", error_description="${error.message.replaceAll('"', "'")}"`;
    return problem('unauthorized', { detail: error.message, headers: { 'WWW-Authenticate': challenge } });
  }
  if (error instanceof KeySourceError) {
    return problem('unavailable', { detail: 'Tokens cannot be verified at the moment.', cause: error });
  }
  return problem('internal', { detail: 'The request could not be handled.', cause: error });
}
