import type { ClientFrame, ServerFrame } from '@posthorn/protocol';
import { ClientError } from '../client-error.ts';
import { readClaims, refreshInMs, type TokenSource } from './token-source.ts';

/** What a refresh needs from its connection. */
export interface TokenRefreshHost {
  send(frame: ClientFrame): boolean;
  onError(error: ClientError): void;
}

const REF = 'auth';
const RETRY_MS = 10_000;

/** Gives one connection a fresh token before the old one expires (PROTOCOL §5.3, `auth`), so that it stays open. */
export class TokenRefresh {
  readonly #tokens: TokenSource;
  readonly #host: TokenRefreshHost;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #token = '';
  #isStopped = false;

  constructor(tokens: TokenSource, host: TokenRefreshHost) {
    this.#tokens = tokens;
    this.#host = host;
  }

  /** The connection now uses this token. */
  after(token: string): void {
    this.#token = token;
    this.#schedule(refreshInMs(readClaims(token), Date.now()));
  }

  /** Handles the answer to its own frame. Returns true if this frame was that answer. */
  takes(frame: ServerFrame): boolean {
    if ((frame.type !== 'ok' && frame.type !== 'error') || frame.ref !== REF) return false;
    if (frame.type === 'ok') {
      this.after(this.#token);
      return true;
    }
    if (frame.code !== 'unavailable') {
      this.#tokens.refuse(this.#token);
      this.#host.onError(
        new ClientError('token', `the fresh token was refused: ${frame.code}: ${frame.detail}`),
      );
    }
    this.#schedule(RETRY_MS);
    return true;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(inMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (inMs !== undefined && !this.#isStopped) this.#timer = setTimeout(() => void this.#refresh(), inMs);
  }

  async #refresh(): Promise<void> {
    try {
      const token = await this.#tokens.fresh();
      if (this.#isStopped) return;
      this.#token = token;
      this.#host.send({ type: 'auth', token, ref: REF });
      // Also tries again if no answer comes, because the frame may be lost.
      this.#schedule(RETRY_MS);
    } catch (thrown) {
      if (this.#isStopped) return;
      if (thrown instanceof ClientError) this.#host.onError(thrown);
      this.#schedule(RETRY_MS);
    }
  }
}
