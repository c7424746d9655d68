import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Bindings, difference, type Json, resolve } from './pattern';
import { jsonIn } from './socket';
import type { ClientStep, ClientTranscript, ClientTurn, ServerTurn } from './transcript';

/** A client under test, once it knows where to connect. */
export interface ClientUnderTest {
  /** The texts of the messages that its application has received so far. */
  handled: () => string[] | Promise<string[]>;
  stop: () => Promise<void>;
}

/** The result of a play. */
export interface ClientPlayResult {
  name: string;
  outcome: 'passed' | 'failed';
  fault?: string;
}

/** How long the client may take, in ms. */
export interface ClientBounds {
  /** For a frame or a connection whose step has no limit of its own; 15,000 by default. */
  answerMs?: number;
  /** To hand out all messages after the last step; 5,000 by default. */
  handledMs?: number;
}

const POLL_MS = 20;

/** Plays a transcript as the server. `start` starts the client with the gateway's URL (`ws://…`). Never throws. */
export async function playAsServer(
  transcript: ClientTranscript,
  start: (gateway: string) => Promise<ClientUnderTest>,
  { answerMs = 15_000, handledMs = 5_000 }: ClientBounds = {},
): Promise<ClientPlayResult> {
  const { name } = transcript;
  const play = await ClientPlay.listen(answerMs);
  let client: ClientUnderTest | undefined;
  try {
    client = await start(play.url);
    for (const [index, step] of transcript.steps.entries()) {
      const what = 'client' in step ? `the client ${step.client}` : `the server ${step.server}`;
      const fault = await play
        .take(step)
        .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      if (fault !== null) return { name, outcome: 'failed', fault: `step ${index + 1} (${what}): ${fault}` };
    }
    const fault = await findHandledFault(client, transcript.handled, handledMs);
    return fault === null ? { name, outcome: 'passed' } : { name, outcome: 'failed', fault };
  } catch (error) {
    return { name, outcome: 'failed', fault: error instanceof Error ? error.message : String(error) };
  } finally {
    await client?.stop();
    await play.end();
  }
}

async function findHandledFault(
  client: ClientUnderTest,
  wanted: readonly string[],
  withinMs: number,
): Promise<string | null> {
  const boundAt = performance.now() + withinMs;
  for (;;) {
    const handled = await client.handled();
    if (JSON.stringify(handled) === JSON.stringify(wanted)) return null;
    if (performance.now() > boundAt || handled.length > wanted.length)
      return `the application was handed ${JSON.stringify(handled)} instead of ${JSON.stringify(wanted)}`;
    await sleep(POLL_MS);
  }
}

class ClientPlay {
  readonly #server: WebSocketServer;
  readonly #answerMs: number;
  readonly #bindings: Bindings = new Map();
  /** Connections that no step has taken yet, with their queries. */
  readonly #arrived: { socket: WebSocket; query: Json }[] = [];
  #frames: Json[] = [];
  #socket: WebSocket | undefined;
  #steppedAt = performance.now();
  #wake: () => void = () => undefined;

  private constructor(server: WebSocketServer, answerMs: number) {
    this.#server = server;
    this.#answerMs = answerMs;
    server.on('connection', (socket, request) => {
      const url = new URL(request.url ?? '/', 'ws://here');
      this.#arrived.push({ socket, query: Object.fromEntries(url.searchParams) });
      this.#wake();
    });
  }

  static async listen(answerMs: number): Promise<ClientPlay> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'posthorn.v1' });
    await once(server, 'listening');
    return new ClientPlay(server, answerMs);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async take(step: ClientStep): Promise<string | null> {
    const fault = 'client' in step ? await this.#expect(step) : this.#act(step);
    this.#steppedAt = performance.now();
    return fault;
  }

  async end(): Promise<void> {
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  async #expect(step: ClientTurn): Promise<string | null> {
    switch (step.client) {
      case 'connects': {
        const { socket, query } = await this.#first(
          this.#arrived,
          step.withinMs ?? this.#answerMs,
          'no connection came',
        );
        const waitedMs = performance.now() - this.#steppedAt;
        if (waitedMs < (step.notBeforeMs ?? 0))
          return `it came after ${Math.round(waitedMs)} ms, which is too soon`;
        this.#socket = socket;
        this.#frames = [];
        socket.on('message', (data) => this.#hear(socket, jsonIn(data)));
        socket.on('error', () => undefined);
        return difference(step.query ?? {}, query, this.#bindings);
      }
      case 'acknowledges':
        return await this.#expectAck(step.seq);
      case 'sends':
        return difference(
          step.frame,
          await this.#first(this.#frames, this.#answerMs, 'no frame came'),
          this.#bindings,
        );
      case 'staysAway':
        await sleep(step.forMs);
        return this.#arrived.length === 0 ? null : 'it connected again';
    }
  }

  async #expectAck(seq: number): Promise<string | null> {
    for (;;) {
      const frame = await this.#first(
        this.#frames,
        this.#answerMs,
        `nothing was acknowledged through ${seq}`,
      );
      const { type, seq: acknowledged } = frame as { type?: string; seq?: number };
      if (type !== 'ack' || acknowledged === undefined || acknowledged > seq)
        return `${JSON.stringify(frame)} came instead of an ack through ${seq}`;
      if (acknowledged === seq) return null;
    }
  }

  #act(step: ServerTurn): string | null {
    const socket = this.#socket;
    if (socket === undefined) throw new Error('the transcript speaks before the client has connected');
    switch (step.server) {
      case 'sends':
        socket.send(JSON.stringify(resolve(step.frame, this.#bindings)));
        return null;
      case 'sendsText':
        socket.send(step.text);
        return null;
      case 'closes':
        socket.close(step.code);
        return null;
      case 'breaks':
        socket.terminate();
        return null;
    }
  }

  #hear(socket: WebSocket, frame: Json): void {
    const { type, ref } = frame as { type?: string; ref?: Json };
    // A client may ping at any time.
    if (type === 'ping') socket.send(JSON.stringify({ type: 'pong', ...(ref === undefined ? {} : { ref }) }));
    else if (socket === this.#socket) this.#frames.push(frame);
    this.#wake();
  }

  async #first<T>(queue: T[], withinMs: number, fault: string): Promise<T> {
    const boundAt = performance.now() + withinMs;
    for (;;) {
      const item = queue.shift();
      if (item !== undefined) return item;
      const leftMs = boundAt - performance.now();
      if (leftMs <= 0) throw new Error(`${fault} within ${withinMs} ms`);
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((done) => {
        this.#wake = done;
        timer = setTimeout(done, leftMs);
      });
      clearTimeout(timer);
    }
  }
}
