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
/**
 * An unknown `kid` reloads the key set at most this often. Rotated keys are found, and a flood of bad tokens causes
 * no flood of requests.
 */
const COOLDOWN_MS = 10_000;
/** After this time the key set is reloaded in the background, so that withdrawn keys are dropped. */
const REFRESH_AFTER_MS = 600_000;
/** Keys that could not be refreshed for this long are no longer trusted. */
const MAX_AGE_MS = 86_400_000;
/** For this long after a failed read, lookups that need a reload fail at once instead of queueing. */
const FAILURE_PAUSE_MS = 1000;

/** The keys of a JWKS URL. If the URL is unreachable, the last keys stay valid for up to 24 hours. */
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
   * The key that the token's header names.
   *
   * @throws KeySourceError when the key set cannot be read
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
      // `#fetch` remembers the failure. It matters only when the old keys do not fit a token.
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
