import { errors } from 'jose';
import { type Problem, problem } from '../problems/problem';

/** Why a token is refused. */
export type TokenErrorReason = 'expired' | 'not_yet_valid' | 'invalid';

/** The token is refused. `message` is safe to show: it never contains any part of the token. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly reason: TokenErrorReason;

  constructor(reason: TokenErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The key set cannot be read, so the token cannot be checked. The answer is 503, not 401. */
export class KeySourceError extends Error {
  override readonly name = 'KeySourceError';

  constructor(cause: unknown) {
    super('The key set of AUTH_JWKS_URL cannot be read.', { cause });
  }
}

/** Translates an error of jose. Any unknown error means that the token is not valid. */
export function tokenErrorFrom(error: unknown): TokenError | KeySourceError {
  if (error instanceof TokenError || error instanceof KeySourceError) {
    return error;
  }
  if (error instanceof errors.JWTExpired) {
    return new TokenError('expired', 'The token has expired.');
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    // `claim` and `reason` come from jose's own checks, not from the token.
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
 * The problem for a request whose token was refused. Pass what `TokenVerifier.verify` threw, or `null` if there was
 * no token. Any other error becomes `internal`.
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
