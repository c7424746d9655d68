import { randomBytes } from 'node:crypto';
import { type Bindings, difference, type Json, resolve, resolveText } from './pattern';
import { askUpgrade, Socket } from './socket';
import type { ServerStep, ServerTranscript } from './transcript';

/** The server under test. */
export interface ServerUnderTest {
  /** send-api: `http://…` */
  api: string;
  /** ws-gateway: `ws://…` */
  gateway: string;
  token: (user: string) => Promise<string>;
  /** Stops the gateway cleanly (SIGTERM) and starts one again. Without this, transcripts that need it are skipped. */
  stopGateway?: () => Promise<void>;
  /** How long an answer may take, in ms; 5,000 by default. */
  withinMs?: number;
}

/** The result of a play. `fault` names the step that failed, and how. */
export interface PlayResult {
  name: string;
  outcome: 'passed' | 'failed' | 'left out';
  fault?: string;
}

const WITHIN_MS = 5_000;

/** Plays a transcript against a server, with its own users. Never throws. */
export async function playAgainstServer(
  transcript: ServerTranscript,
  server: ServerUnderTest,
): Promise<PlayResult> {
  const { name, needs = [] } = transcript;
  if (needs.includes('stop-gateway') && server.stopGateway === undefined)
    return { name, outcome: 'left out' };
  const play = new ServerPlay(transcript, server);
  try {
    for (const [index, step] of transcript.steps.entries()) {
      const fault = await play
        .take(step)
        .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      if (fault !== null)
        return { name, outcome: 'failed', fault: `step ${index + 1} (${step.do}): ${fault}` };
    }
    return { name, outcome: 'passed' };
  } finally {
    play.end();
  }
}

class ServerPlay {
  readonly #server: ServerUnderTest;
  readonly #withinMs: number;
  readonly #bindings: Bindings = new Map();
  readonly #sockets = new Map<string, Socket>();

  constructor({ users }: ServerTranscript, server: ServerUnderTest) {
    this.#server = server;
    this.#withinMs = server.withinMs ?? WITHIN_MS;
    const run = randomBytes(4).toString('hex');
    for (const user of users) this.#bindings.set(user, `${user}-${run}`);
  }

  /** What is wrong with the server's answer to a step; null if nothing is. */
  async take(step: ServerStep): Promise<string | null> {
    switch (step.do) {
      case 'http':
        return await this.#ask(step);
      case 'connect': {
        const url = this.#connectUrl(step.query);
        this.#sockets.set(step.socket, await Socket.open(url, await this.#token(step.as), this.#withinMs));
        return null;
      }
      case 'refused': {
        const headers = { ...step.headers, ...(await this.#authorization(step.as)) };
        const { status, body } = await askUpgrade(this.#connectUrl(step.query), headers);
        return this.#compare(
          { status: step.expect.status, body: step.expect.body ?? '$*' },
          { status, body },
        );
      }
      case 'send':
        this.#socket(step.socket).send(JSON.stringify(resolve(step.frame, this.#bindings)));
        return null;
      case 'sendText':
        this.#socket(step.socket).send(step.text);
        return null;
      case 'sendBinary':
        this.#socket(step.socket).send(Buffer.from(step.bytes));
        return null;
      case 'receive': {
        const wantsReceipt = typeOf(step.frame) === 'receipt';
        const frame = await this.#socket(step.socket).next(
          (next) => !wantsReceipt && typeOf(next) === 'receipt',
        );
        return this.#compare(step.frame, frame);
      }
      case 'close':
        await this.#socket(step.socket).close();
        return null;
      case 'closed':
        return this.#compare(step.code, await this.#socket(step.socket).ended());
      case 'token':
        this.#bindings.set(step.into, await this.#token(step.of));
        return null;
      case 'stopGateway':
        await this.#server.stopGateway?.();
        return null;
    }
  }

  end(): void {
    for (const socket of this.#sockets.values()) socket.cut();
  }

  async #ask(step: ServerStep & { do: 'http' }): Promise<string | null> {
    const { method, path, body, headers = {}, expect } = step;
    const response = await fetch(this.#server.api + resolveText(path, this.#bindings), {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(resolve(headers, this.#bindings) as Record<string, string>),
        ...(await this.#authorization(step.as)),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(resolve(body, this.#bindings)) }),
      signal: AbortSignal.timeout(this.#withinMs),
    });
    const text = await response.text();
    const answer = {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      ...(text === '' ? {} : { body: JSON.parse(text) as Json }),
    };
    return this.#compare({ ...expect, headers: expect.headers ?? {} }, answer);
  }

  #compare(pattern: Json, value: Json): string | null {
    return difference(pattern, value, this.#bindings);
  }

  #connectUrl(query: Record<string, Json> = {}): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query))
      parameters.set(name, resolveText(value, this.#bindings));
    const text = parameters.toString();
    return `${this.#server.gateway}/v1/connect${text === '' ? '' : `?${text}`}`;
  }

  async #authorization(user: string | null): Promise<Record<string, string>> {
    return user === null ? {} : { authorization: `Bearer ${await this.#token(user)}` };
  }

  async #token(user: string): Promise<string> {
    return await this.#server.token(resolveText(`$${user}`, this.#bindings));
  }

  #socket(name: string): Socket {
    const socket = this.#sockets.get(name);
    if (socket === undefined)
      throw new Error(`the transcript uses the socket ${name} before it is connected`);
    return socket;
  }
}

function typeOf(frame: Json): Json | undefined {
  return typeof frame === 'object' && frame !== null && 'type' in frame ? frame.type : undefined;
}
