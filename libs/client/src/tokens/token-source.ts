import { ClientError, inWords } from '../client-error.ts';

/** What a token says of itself; undefined where it cannot be read, which is no fault: the server decides. */
export interface TokenClaims {
  user?: string;
  /** Milliseconds since 1970. */
  endsAtMs?: number;
}

const ANSWER_BOUND_MS = 30_000;
/** One that ends this soon is not used for anything new. */
const MARGIN_MS = 5_000;
/** Of a token that lives for long, this is left when a fresh one is asked for. */
const EARLY_MS = 60_000;
const MIN_REFRESH_MS = 1_000;
/** A timer holds no longer time. */
const MAX_REFRESH_MS = 86_400_000;

/** Asks the application for tokens: as few as will do, one at a time. */
export class TokenSource {
  readonly #ask: () => Promise<string>;
  readonly #check: (claims: TokenClaims) => Promise<void> | void;
  #token: string | undefined;
  #asking: Promise<string> | undefined;

  /** `check` may refuse a token by throwing. */
  constructor(ask: () => Promise<string>, check: (claims: TokenClaims) => Promise<void> | void) {
    this.#ask = ask;
    this.#check = check;
  }

  /** The token at hand while it is good, else a fresh one. @throws ClientError */
  async get(): Promise<string> {
    const token = this.#token;
    if (token === undefined) return await this.fresh();
    const { endsAtMs = Number.POSITIVE_INFINITY } = readClaims(token);
    return endsAtMs - Date.now() > MARGIN_MS ? token : await this.fresh();
  }

  /** A fresh one. @throws ClientError */
  async fresh(): Promise<string> {
    this.#asking ??= this.#fetch().finally(() => {
      this.#asking = undefined;
    });
    return await this.#asking;
  }

  /** The server took it for bad, or may have: it is not used again. */
  refuse(token: string): void {
    if (this.#token === token) this.#token = undefined;
  }

  async #fetch(): Promise<string> {
    const token = await within(ANSWER_BOUND_MS, this.#ask).catch((thrown: unknown) => {
      throw new ClientError('token', `no token: ${inWords(thrown)}`, { cause: thrown });
    });
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw new ClientError('token', 'no token: the function has to return a JWT as a string');
    }
    await this.#check(readClaims(token));
    this.#token = token;
    return token;
  }
}

/** When to ask for the next token, in ms from now; undefined where this one does not say when it ends. */
export function refreshInMs({ endsAtMs }: TokenClaims, nowMs: number): number | undefined {
  if (endsAtMs === undefined) return undefined;
  const leftMs = endsAtMs - nowMs;
  const waitMs = Math.max(leftMs - EARLY_MS, leftMs * 0.8);
  return Math.min(MAX_REFRESH_MS, Math.max(MIN_REFRESH_MS, waitMs));
}

/** Reads a JWT without checking it: that is the server's business. */
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
