import { ClientError, inWords } from '../client-error.ts';

/**
 * The claims of a token. A claim that cannot be read is undefined. This is not an error, because the server decides.
 */
export interface TokenClaims {
  user?: string;
  /** Milliseconds since 1970. */
  endsAtMs?: number;
}

const ANSWER_BOUND_MS = 30_000;
/** A token that expires this soon is not used for new requests. */
const MARGIN_MS = 5_000;
/** A long-lived token is replaced this long before it expires. */
const EARLY_MS = 60_000;
const MIN_REFRESH_MS = 1_000;
/** The longest wait is a day, because a timer overflows after 24.8 days. */
const MAX_REFRESH_MS = 86_400_000;

/** Asks the application for tokens, as rarely as possible and one at a time. */
export class TokenSource {
  readonly #ask: () => Promise<string>;
  readonly #check: (claims: TokenClaims) => Promise<void> | void;
  #token: string | undefined;
  #asking: Promise<string> | undefined;

  /** `check` throws to refuse a token. */
  constructor(ask: () => Promise<string>, check: (claims: TokenClaims) => Promise<void> | void) {
    this.#ask = ask;
    this.#check = check;
  }

  /** The current token if it is still good, otherwise a fresh one. @throws ClientError */
  async get(): Promise<string> {
    const token = this.#token;
    if (token === undefined) return await this.fresh();
    const { endsAtMs = Number.POSITIVE_INFINITY } = readClaims(token);
    return endsAtMs - Date.now() > MARGIN_MS ? token : await this.fresh();
  }

  /** A fresh token. @throws ClientError */
  async fresh(): Promise<string> {
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = undefined;
    });
    return await this.#asking;
  }

  /** The server refused this token, or may have. It is not used again. */
  refuse(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  async #fetch(): Promise<string> {
    const token = await within(ANSWER_BOUND_MS, this.#ask).catch((thrown: unknown) => {
      throw new ClientError('token', `no token: ${inWords(thrown)}`, { cause: thrown });
    });
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw new ClientError('token', 'no token: the function must return a JWT as a string');
    }
    await this.#check(readClaims(token));
    this.#token = token;
    return token;
  }
}

/** When to ask for the next token, in ms from now; undefined if this one does not say when it expires. */
export function refreshInMs({ endsAtMs }: TokenClaims, nowMs: number): number | undefined {
  if (endsAtMs === undefined) return undefined;
  const leftMs = endsAtMs - nowMs;
  const waitMs = Math.max(leftMs - EARLY_MS, leftMs * 0.8);
  return Math.min(MAX_REFRESH_MS, Math.max(MIN_REFRESH_MS, waitMs));
}

/** Reads a JWT without checking it, because the server does that. */
export function readClaims(token: string): TokenClaims {
  try {
    const base64 = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { sub, exp } = JSON.parse(atob(base64)) as Record<string, unknown>;
    return {
      ...(typeof sub === 'string' ? { user: sub } : {}),
      ...(typeof exp === 'number' ? { endsAtMs: exp * 1_000 } : {}),
    };
  } catch {
    return {};
  }
}

async function within<T>(ms: number, act: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([act(), late]);
  } finally {
    clearTimeout(timer);
  }
}
