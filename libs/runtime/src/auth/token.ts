import { subtle } from 'node:crypto';
import { isUserId } from '@posthorn/protocol';
import { type CryptoKey, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { AuthSettings } from '../settings/settings';
import { RemoteKeys } from './remote-keys';
import { TokenError, tokenErrorFrom } from './token-errors';

/** Who a token names, and what it allows. */
export interface Identity {
  readonly user: string;
  readonly scopes: ReadonlySet<string>;
  /** When the token expires, in epoch milliseconds. It is accepted for 5 s longer. */
  readonly expiresAtMs: number;
}

export interface TokenVerifierOptions {
  readonly auth: AuthSettings;
  /** Returns the time in epoch milliseconds. */
  readonly now?: () => number;
}

const NO_SCOPES: ReadonlySet<string> = new Set();
const HS256 = { name: 'HMAC', hash: 'SHA-256' };
const LEEWAY_S = 5;
const MAX_TOKEN_CHARS = 8192;
const MAX_CACHED_CHARS = 4096;
const MAX_CACHED_TOKENS = 10_000;
const MAX_CACHED_TOTAL_CHARS = 16_777_216;
/** Bounds how long a cached token is accepted after its key was withdrawn. */
const CACHED_AT_MOST_MS = 300_000;
/** The largest time that a Date can hold. A token with a later `exp` never expires. */
const MAX_DATE_MS = 8.64e15;

/**
 * Verifies JWTs with one shared secret (HS256) or a remote key set (RS256, ES256, EdDSA).
 * Verified tokens are cached for at most 5 minutes, and never past their own expiry.
 */
export class TokenVerifier {
  /** The secret is imported once, because jose would import it for each token. */
  readonly #keys: Promise<CryptoKey> | RemoteKeys;
  readonly #options: JWTVerifyOptions;
  readonly #now: () => number;
  readonly #verified = new LRUCache<string, Identity>({
    max: MAX_CACHED_TOKENS,
    maxSize: MAX_CACHED_TOTAL_CHARS,
    sizeCalculation: (_identity, token) => token.length,
  });

  /** @throws Error when `auth` has neither a secret nor a URL */
  constructor({ auth, now = Date.now }: TokenVerifierOptions) {
    this.#now = now;
    if (auth.secret !== undefined) {
      this.#keys = subtle.importKey('raw', Buffer.from(auth.secret), HS256, false, ['verify']);
    } else if (auth.jwksUrl !== undefined) {
      this.#keys = new RemoteKeys(new URL(auth.jwksUrl));
    } else {
      throw new Error('tokens cannot be verified without a secret or a key set URL');
    }
    this.#options = {
      // Never take the algorithm from the token: an attacker controls its header.
      algorithms: this.#keys instanceof RemoteKeys ? ['RS256', 'ES256', 'EdDSA'] : ['HS256'],
      requiredClaims: ['exp', 'sub'],
      clockTolerance: LEEWAY_S,
      ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
      ...(auth.audience === undefined ? {} : { audience: auth.audience }),
    };
  }

  /**
   * Returns who the token names.
   *
   * @throws TokenError when the token is expired or not valid
   * @throws KeySourceError when the key set is unreachable, so the token cannot be checked
   */
  async verify(token: string): Promise<Identity> {
    const cached = this.#verified.get(token);
    if (cached !== undefined) {
      if (cached.expiresAtMs + LEEWAY_S * 1000 > this.#now()) {
        return cached;
      }
      this.#verified.delete(token);
      throw new TokenError('expired', 'The token has expired.');
    }
    const identity = identityOf(await this.#payloadOf(token));
    if (token.length <= MAX_CACHED_CHARS) {
      this.#verified.set(token, identity, { ttl: CACHED_AT_MOST_MS });
    }
    return identity;
  }

  /** Forgets all cached tokens. */
  close(): void {
    this.#verified.clear();
  }

  async #payloadOf(token: string): Promise<JWTPayload> {
    // Check the form before decoding: decoders accept white space, and decoding a long token takes time.
    if (token.length > MAX_TOKEN_CHARS || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) || !hasOneSpelling(token)) {
      throw new TokenError('invalid', 'The token is not a JWT.');
    }
    const options = { ...this.#options, currentDate: new Date(this.#now()) };
    try {
      return await this.#verifyWith(token, options);
    } catch (error) {
      throw tokenErrorFrom(error);
    }
  }

  async #verifyWith(token: string, options: JWTVerifyOptions): Promise<JWTPayload> {
    const keys = this.#keys;
    if (!(keys instanceof RemoteKeys)) {
      return (await jwtVerify(token, await keys, options)).payload;
    }
    try {
      return (await jwtVerify(token, (header, input) => keys.find(header, input), options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) {
        throw error;
      }
      // The token has no `kid` and two keys overlap during a rotation. Either key may have signed it.
      return verifyWithAny(token, error, options);
    }
  }
}

/**
 * Decoders ignore the last bits of a signature's last character. Without this check one token would have several
 * spellings.
 */
function hasOneSpelling(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

async function verifyWithAny(
  token: string,
  candidates: AsyncIterable<CryptoKey>,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of candidates) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) {
        throw error;
      }
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

function identityOf({ sub, exp, scope }: JWTPayload): Identity {
  if (!isUserId(sub)) {
    throw new TokenError('invalid', 'The token\'s "sub" is not a user id.');
  }
  if (typeof exp !== 'number') {
    throw new TokenError('invalid', 'The token\'s "exp" is not a number.');
  }
  const words = typeof scope === 'string' ? scope.split(' ').filter((word) => word !== '') : [];
  // Most tokens have no scopes. They share one empty set, because each cached token keeps its own.
  const scopes = words.length === 0 ? NO_SCOPES : new Set(words);
  return { user: sub, scopes, expiresAtMs: Math.min(exp * 1000, MAX_DATE_MS) };
}
