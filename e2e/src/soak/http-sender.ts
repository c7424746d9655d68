import { Agent, request } from 'node:http';

/** The answer to a send. */
export interface SendAnswer {
  status: number;
  id: string | undefined;
  ms: number;
}

/** Sends messages over keep-alive connections, to several send-apis in turn. */
export class HttpSender {
  readonly #agent: Agent;
  readonly #urls: readonly string[];
  #turn = 0;

  /** @param connections how many to open to each send-api */
  constructor(urls: readonly string[], connections: number) {
    this.#urls = urls;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  async send(token: string, body: object): Promise<SendAnswer> {
    const url = this.#urls[this.#turn++ % this.#urls.length] ?? '';
    const json = JSON.stringify(body);
    const startedAt = performance.now();
    return await new Promise((resolve, reject) => {
      const sending = request(
        `${url}/v1/messages`,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            Authorization: `Bearer ${token}`,
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(json),
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => {
            const id = response.statusCode === 201 ? idIn(text) : undefined;
            resolve({ status: response.statusCode ?? 0, id, ms: performance.now() - startedAt });
          });
          response.on('error', reject);
        },
      );
      sending.on('error', reject);
      sending.end(json);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function idIn(text: string): string | undefined {
  const body: unknown = JSON.parse(text);
  return typeof body === 'object' && body !== null && 'id' in body ? String(body.id) : undefined;
}
