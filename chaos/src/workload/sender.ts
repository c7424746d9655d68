import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '@posthorn/protocol';
import type { HistoryRecorder } from '../history/recorder';
import type { Random } from '../random';
import type { ApiAnswer, ApiClient } from './api-client';
import { hashOf, type MessageBody } from './message-body';

/** What a sender needs. */
export interface SenderOptions {
  index: number;
  /** The users, each with devices. */
  users: readonly string[];
  /** Sends per second, approximately. Fewer while answers are slow, so that a slow machine has time for the faults. */
  perSecond: number;
  api: ApiClient;
  recorder: HistoryRecorder;
  random: Random;
  /** Marks the texts of this run. */
  runId: string;
}

interface Send {
  key: string;
  from: string;
  body: MessageBody & { to: string[] };
}

/** Statuses that promise that nothing was done. After any other failure the outcome is unknown. */
const REFUSALS = new Set([400, 401, 403, 404, 405, 413, 415, 422, 429]);
/** Few, because most real messages go to one user, and so more messages fit in a run. */
const TO_SEVERAL_SHARE = 0.1;
const TO_ALL_SHARE = 0.002;
const INVALID_USER = 'no such user!';
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1_000;
/** A sender rests as long as its send took, up to this time. */
const MAX_REST_MS = 500;

/** Sends one message after another. It resolves an unknown outcome with the same key before the next message. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #stopping = new AbortController();
  #life = 0;
  #count = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Sends until it is stopped. Resolves when the last outcome is known, or `giveUp` is aborted. */
  async run(giveUp: AbortSignal): Promise<void> {
    const { random, perSecond } = this.#options;
    const pauseMs = 1_000 / perSecond;
    let due = performance.now();
    while (!this.#stopping.signal.aborted) {
      due = Math.max(due + pauseMs, performance.now() - 10 * pauseMs);
      const send = this.#next();
      const startedAt = performance.now();
      const isDone = await this.#settle(send, giveUp);
      if (isDone && random.chance(0.02)) await this.#repeat(send, giveUp);
      const tookMs = performance.now() - startedAt;
      const waitMs = Math.max(due - performance.now(), Math.min(tookMs, MAX_REST_MS));
      if (waitMs > 0) await sleep(waitMs);
    }
  }

  stop(): void {
    this.#stopping.abort();
  }

  #next(): Send {
    const { index, users, random, runId } = this.#options;
    const n = this.#count++;
    const from = random.pick(users);
    const to = new Set<string>();
    if (random.chance(TO_ALL_SHARE)) for (const user of users) to.add(user);
    else
      for (let left = random.chance(TO_SEVERAL_SHARE) ? random.int(2, 6) : 1; left > 0; left--)
        to.add(random.pick(users));
    if (random.chance(0.05)) to.add(from);
    if (random.chance(0.02)) to.add(INVALID_USER);
    return { key: `${runId}-${index}-${n}`, from, body: { to: [...to], ...this.#content(n) } };
  }

  /** Unique within the run. Some contents are too large for their notice, and some have data. */
  #content(n: number): MessageBody {
    const { index, random, runId } = this.#options;
    const size = random.chance(0.03) ? random.int(4_000, 8_000) : random.int(8, 256);
    const text = `${runId}|${index}|${n}|${'é'.repeat(size)}`.slice(0, 8_000);
    const data: JsonObject = { runId, sender: index, n, tags: ['a', 'b'] };
    if (random.chance(0.1)) return { data };
    return random.chance(0.1) ? { text, data } : { text };
  }

  /** Tries until the outcome is known. Returns true if the message was accepted. */
  async #settle(send: Send, giveUp: AbortSignal): Promise<boolean> {
    const { recorder } = this.#options;
    const { key, from, body } = send;
    for (let attempt = 0; !giveUp.aborted; attempt++) {
      const p = this.#name();
      recorder.record(p, { type: 'invoke', f: 'send', v: { key, from, to: body.to, h: hashOf(body) } });
      const answer = await this.#post(send, body);
      if (answer.isAccepted) {
        recorder.record(p, {
          type: 'ok',
          f: 'send',
          v: { key, id: answer.id, http: answer.http, ms: answer.ms },
        });
        return true;
      }
      if (answer.http !== undefined && REFUSALS.has(answer.http)) {
        recorder.record(p, { type: 'fail', f: 'send', v: { key, http: answer.http, ms: answer.ms } });
        return false;
      }
      const { http, error, ms } = answer;
      const v = {
        key,
        ms,
        ...(http === undefined ? {} : { http }),
        ...(error === undefined ? {} : { error }),
      };
      recorder.record(p, { type: 'info', f: 'send', v });
      this.#life++;
      await sleep(Math.min(FIRST_RETRY_MS * 2 ** attempt, MAX_RETRY_MS));
    }
    return false;
  }

  /** Uses the same key again, sometimes with another body. This must not send anything. */
  async #repeat(send: Send, giveUp: AbortSignal): Promise<void> {
    const { recorder, random } = this.#options;
    if (!random.chance(0.5)) {
      await this.#settle(send, giveUp);
      return;
    }
    const body = { ...send.body, text: `${send.key}, but twisted` };
    const { key, from } = send;
    const p = this.#name();
    recorder.record(p, {
      type: 'invoke',
      f: 'send',
      v: { key, from, to: body.to, h: hashOf(body), twist: true },
    });
    const answer = await this.#post(send, body);
    const { ms } = answer;
    if (answer.isAccepted)
      recorder.record(p, { type: 'ok', f: 'send', v: { key, id: answer.id, http: answer.http, ms } });
    else if (answer.http !== undefined && REFUSALS.has(answer.http))
      recorder.record(p, { type: 'fail', f: 'send', v: { key, http: answer.http, ms, twist: true } });
    else {
      recorder.record(p, {
        type: 'info',
        f: 'send',
        v: { key, ms, error: 'the twisted send has no answer' },
      });
      this.#life++;
    }
  }

  #name(): string {
    return `s${this.#options.index}#${this.#life}`;
  }

  async #post({ key, from }: Send, body: Send['body']): Promise<ApiAnswer> {
    return await this.#options.api.send(from, key, body);
  }
}
