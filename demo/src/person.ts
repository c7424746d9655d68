import {
  type Client,
  connect,
  type HttpClient,
  httpClient,
  localStorageStore,
  type Outgoing,
  type Status,
} from '@posthorn/client';
import { History } from './history.ts';
import { readToken, type Stack } from './stack.ts';

const FOLLOW_EVERY_MS = 3_000;
const MAX_FOLLOWED = 100;

/** One of the two: a client, its history, and a callback for changes. */
export class Person {
  readonly name: string;
  readonly peer: string;
  readonly history: History;
  readonly #stack: Stack;
  readonly #http: HttpClient;
  readonly #gateway: number;
  readonly #onChange: () => void;
  #client: Client | undefined;
  #status: Status = { state: 'closed' };
  #isLooking = true;
  readonly #unread = new Set<string>();

  constructor(name: string, peer: string, stack: Stack, gateway: number, onChange: () => void) {
    this.name = name;
    this.peer = peer;
    this.history = new History(name);
    this.#stack = stack;
    this.#http = httpClient({ api: stack.api, token: () => readToken(name) });
    this.#gateway = gateway;
    this.#onChange = onChange;
  }

  get status(): Status {
    return this.#status;
  }

  get isOffline(): boolean {
    return this.#client === undefined;
  }

  /** Switches the device on. Messages in the outbox are sent, and messages that wait on the server arrive. */
  goOnline(): void {
    if (this.#client !== undefined) return;
    const client = connect({
      url: this.#stack.gateways[this.#gateway] ?? '',
      api: this.#stack.api,
      device: 'demo',
      token: () => readToken(this.name),
      store: localStorageStore(`demo-${this.name}`),
    });
    this.#client = client;
    client.on('status', (status) => {
      this.#status = status;
      if (status.state === 'online') this.#readWhatIsSeen();
      this.#onChange();
    });
    client.on('outbox', (outgoing) => this.#show(outgoing));
    client.on('receipt', ({ id, status }) => {
      this.history.advance(id, status);
      this.#onChange();
    });
    client.on('message', ({ message }) => {
      if (message.from !== this.peer) return;
      this.history.put({ key: message.id, isOwn: false, text: message.text ?? '' });
      this.#unread.add(message.id);
      this.#readWhatIsSeen();
      this.#onChange();
    });
    // The page shows the client's status, so a demo can ignore errors that the client survives.
    client.on('error', () => undefined);
    void this.#followTicks(client);
    this.#onChange();
  }

  /** Switches the device off, like a closed laptop. */
  async goOffline(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#status = { state: 'closed' };
    this.#onChange();
    await client?.close();
  }

  /** @throws OutboxFullError, TypeError */
  async send(text: string): Promise<void> {
    await this.#client?.send({ to: this.peer, text });
  }

  /** Sets whether the user looks at this chat. If so, arriving messages are read. */
  look(isLooking: boolean): void {
    this.#isLooking = isLooking;
    this.#readWhatIsSeen();
  }

  /**
   * Receipt frames may be lost, so this asks for the receipts until all messages are read or this device goes
   * offline. The client itself asks only for its newest hundred, at each connect.
   */
  async #followTicks(client: Client): Promise<void> {
    while (this.#client === client) {
      // Receipts of younger messages may still be on the way.
      const bornBeforeMs = Date.now() - FOLLOW_EVERY_MS;
      const behind = this.history.entries.filter(
        ({ isOwn, id, state, shownAtMs }) =>
          isOwn && id !== undefined && state !== 'read' && shownAtMs < bornBeforeMs,
      );
      let readCount = 0;
      for (const { id = '' } of behind.slice(0, MAX_FOLLOWED)) {
        const [receipt] = await this.#http.receipts(id).catch(() => []);
        if (this.#client !== client) return;
        if (receipt?.readAt != null) {
          this.history.advance(id, 'read');
          readCount += 1;
        } else if (receipt?.deliveredAt != null) this.history.advance(id, 'delivered');
        this.#onChange();
      }
      // If many are behind, ask for the next ones at once.
      if (readCount === 0 || behind.length <= MAX_FOLLOWED)
        await new Promise((resolve) => setTimeout(resolve, FOLLOW_EVERY_MS));
    }
  }

  #show({ key, text = '', state, id }: Outgoing): void {
    this.history.put({ key, isOwn: true, text, state, ...(id === undefined ? {} : { id }) });
    this.#onChange();
  }

  #readWhatIsSeen(): void {
    if (!this.#isLooking || this.#client === undefined || this.#unread.size === 0) return;
    const ids = [...this.#unread];
    this.#unread.clear();
    // If the store does not take the mark, the next message tries again.
    this.#client.read(ids).catch(() => {
      for (const id of ids) this.#unread.add(id);
    });
  }
}
