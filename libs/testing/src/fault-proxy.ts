import { connect, createServer, type Server, type Socket } from 'node:net';
import { type FaultCounts, FaultLink, type LinkState } from './fault-link';
import type { FaultMode } from './fault-mode';

/** A TCP proxy in front of a server. Tests use it to make the connection fail. */
export class FaultProxy {
  readonly #server: Server;
  readonly #links = new Set<FaultLink>();
  readonly #state: LinkState = {
    mode: 'pass',
    counts: { connections: 0, refused: 0, cut: 0, passedBytes: 0, swallowedBytes: 0, heldBytes: 0 },
  };
  #target: { host: string; port: number } | null;
  readonly port: number;

  private constructor(server: Server, port: number, target: { host: string; port: number } | null) {
    this.#server = server;
    this.#target = target;
    this.port = port;
    server.on('connection', (client) => this.#connect(client));
  }

  /**
   * Listens on a free port, in front of the host and port of `url`. Without `url` it refuses connections until
   * `retarget`.
   */
  static async open(url?: string): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return new FaultProxy(server, address.port, url === undefined ? null : hostAndPort(url));
  }

  /** The same address, but through the proxy. */
  through(url: string): string {
    const address = new URL(url);
    address.hostname = '127.0.0.1';
    address.port = String(this.port);
    return address.href;
  }

  get mode(): FaultMode {
    return this.#state.mode;
  }

  set mode(mode: FaultMode) {
    this.#state.mode = mode;
    for (const link of this.#links) link.adapt();
    if (mode === 'reset') this.cut();
  }

  /** The counts so far, as a copy that can be compared with a later one. */
  get counts(): FaultCounts {
    return { ...this.#state.counts };
  }

  /** Sets another port behind the proxy, or none: then connections are refused. Open connections stay. */
  retarget(port: number | null): void {
    this.#target = port === null ? null : { host: this.#target?.host ?? '127.0.0.1', port };
  }

  /** Resets all open connections and returns how many. */
  cut(): number {
    const count = this.#links.size;
    for (const link of this.#links) link.cut();
    return count;
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #connect(client: Socket): void {
    client.on('error', () => undefined); // followed by close
    if (this.#state.mode === 'reset' || this.#target === null) {
      this.#state.counts.refused += 1;
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    const link = new FaultLink(client, upstream, this.#state, () => this.#links.delete(link));
    this.#links.add(link);
  }
}

function hostAndPort(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
