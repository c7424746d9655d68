import {
  type CryptoKey,
  createRemoteJWKSet,
  customFetch,
  errors,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
} from 'jose';
import { KeySourceError } from './token-errors';

const TIMEOUT_MS = 3000;
/** An unknown `kid` asks for the set again at most this often: rotation is found, floods of bad tokens are not felt. */
const COOLDOWN_MS = 10_000;
/** After this the set is read again beside the traffic, so that withdrawn keys go. */
const REFRESH_AFTER_MS = 600_000;
/** Keys that could not be refreshed for this long are not trusted any more. */
const MAX_AGE_MS = 86_400_000;
/** After a failed read nobody asks again for this long: callers fail at once instead of queueing. */
const FAILURE_PAUSE_MS = 1000;

/** The keys of a JWKS URL. A short outage of it is not felt: the last keys stay good while it is out of reach. */
export class RemoteKeys {
  readonly #find: ReturnType<typeof createRemoteJWKSet>;
  #failure: { readonly at: number; readonly error: unknown } | null = null;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(url: URL) {
    this.#find = createRemoteJWKSet(url, {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: COOLDOWN_MS,
      cacheMaxAge: MAX_AGE_MS,
      [customFetch]: (address, options) => this.#fetch(address, options),
    });
  }

  /**
   * The key that the token's header asks for.
   *
   * @throws KeySourceError when the set cannot be read
   * @throws errors.JWKSNoMatchingKey | errors.JWKSMultipleMatchingKeys
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    this.#refresh();
    try {
      return await this.#find(header, token);
    } catch (error) {
      throw isAboutTheToken(error) ? error : new KeySourceError(error);
    }
  }

  #refresh(): void {
    const isOld = performance.now() - this.#readAt > REFRESH_AFTER_MS;
    if (isOld && this.#find.fresh && !this.#find.reloading) {
      // A failure is remembered by #fetch, and felt only when the old keys do not do.
      this.#find.reload().catch(() => null);
    }
  }

  async #fetch(url: string, options: RequestInit): Promise<Response> {
    if (this.#failure !== null && performance.now() - this.#failure.at < FAILURE_PAUSE_MS) {
      throw this.#failure.error;
    }
    try {
      const response = await fetch(url, options);
      if (response.status !== 200) {
        throw new Error(`the key set answered ${response.status}`);
      }
      this.#failure = null;
      this.#readAt = performance.now();
      return response;
    } catch (error) {
      this.#failure = { at: performance.now(), error };
      throw error;
    }
  }
}

function isAboutTheToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
