import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { Report } from './report';

/** The options of the canary. */
export interface CanaryOptions {
  apiUrls: readonly string[];
  /** At least two gateways, one for each device. */
  connectUrls: readonly string[];
  token: (user: string) => string;
  report: Report;
}

const SENDER = 'canary-sender';
const RECIPIENT = 'canary';
const INTERVAL_MS = 50;
const MAX_TRIES = 10;
/** The limit from the 201 to the device. Normally it takes milliseconds, but fuzz on two cores slows it down. */
const ARRIVAL_BOUND_MS = 5_000;

interface Device {
  socket: WebSocket;
  received: string[];
}

/**
 * Normal traffic beside the fuzz: one sender, and one recipient with two devices on different gateways. Every
 * accepted message must arrive in time and in order, and nothing else may arrive.
 */
export class Canary {
  /** The texts, in the order of their 201. */
  readonly #sent: { text: string; at: number }[] = [];
  readonly #arrivals: number[] = [];
  readonly #devices: Device[] = [];
  readonly #options: CanaryOptions;
  #isStopped = false;
  #sending: Promise<void> = Promise.resolve();

  private constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** Connects and starts to send. */
  static async start(options: CanaryOptions): Promise<Canary> {
    const canary = new Canary(options);
    for (const [index, url] of options.connectUrls.entries()) await canary.#connect(url, `perch-${index}`);
    canary.#sending = canary.#send();
    return canary;
  }

  get sent(): number {
    return this.#sent.length;
  }

  /** The times from the 201 to each device in ms, sorted. */
  get arrivalMs(): number[] {
    return [...this.#arrivals].sort((a, b) => a - b);
  }

  /** Stops sending, waits for messages on their way, and reports what is missing. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#sending;
    const boundAt = Date.now() + ARRIVAL_BOUND_MS;
    while (
      Date.now() < boundAt &&
      this.#devices.some(({ received }) => received.length < this.#sent.length)
    ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (const [index, { socket, received }] of this.#devices.entries()) {
      if (received.length !== this.#sent.length)
        this.#fault(`device ${index} got ${received.length} of ${this.#sent.length}`);
      socket.removeAllListeners('close');
      socket.close(1000);
    }
  }

  #fault(what: string): void {
    this.#options.report.fail(null, `canary: ${what}`);
  }

  async #connect(url: string, device: string): Promise<void> {
    const socket = new WebSocket(`${url}?device=${device}`, ['posthorn.v1'], {
      headers: { Authorization: `Bearer ${this.#options.token(RECIPIENT)}` },
    });
    const received: string[] = [];
    this.#devices.push({ socket, received });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.on('error', (error) => this.#fault(`${device}: ${error.message}`));
    socket.on('close', (code) => this.#fault(`${device} was closed with ${code}`));
    socket.on('message', (data: Buffer) => this.#take(device, received, data.toString('utf8'), socket));
  }

  #take(device: string, received: string[], text: string, socket: WebSocket): void {
    const frame: { type: string; seq?: number; message?: { from: string; text: string } } = JSON.parse(text);
    if (frame.type !== 'message' || frame.message === undefined) return;
    const { from, text: message } = frame.message;
    received.push(message);
    if (from !== SENDER) this.#fault(`${device} got a message of ${from}`);
    if (frame.seq !== received.length)
      this.#fault(`${device} got seq ${frame.seq} as number ${received.length}`);
    socket.send(JSON.stringify({ type: 'ack', seq: frame.seq }));
    this.#arrived(received.length - 1, message);
  }

  /** The message may arrive before its 201. */
  #arrived(index: number, message: string): void {
    const sent = this.#sent[index];
    if (sent !== undefined && sent.text !== message) this.#fault(`number ${index + 1} is not what was sent`);
    const ms = sent === undefined ? 0 : performance.now() - sent.at;
    this.#arrivals.push(ms);
    if (ms > ARRIVAL_BOUND_MS) this.#fault(`number ${index + 1} took ${ms.toFixed(0)} ms`);
  }

  async #send(): Promise<void> {
    const { apiUrls, token } = this.#options;
    for (let turn = 0; !this.#isStopped; turn++) {
      const text = `canary ${turn} ${randomUUID()}`;
      const status = await this.#sendOnce(apiUrls[turn % apiUrls.length] ?? '', token(SENDER), text);
      if (status === 201 || status === 200) this.#sent.push({ text, at: performance.now() });
      else this.#fault(`a send was answered ${status}`);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  /** Sends one message. As PROTOCOL §4.7 says, it is retried while the answer is 503. */
  async #sendOnce(url: string, token: string, text: string): Promise<number | string> {
    const key = randomUUID();
    for (let tries = 1; ; tries++) {
      try {
        const response = await fetch(`${url}/v1/messages`, {
          method: 'POST',
          headers: {
            Authorization: `Bearer ${token}`,
            'Content-Type': 'application/json',
            'Idempotency-Key': key,
          },
          body: JSON.stringify({ to: [RECIPIENT], text }),
          signal: AbortSignal.timeout(ARRIVAL_BOUND_MS),
        });
        await response.arrayBuffer();
        if (response.status !== 503 || tries === MAX_TRIES) return response.status;
      } catch (error) {
        return String(error);
      }
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS * tries));
    }
  }
}
