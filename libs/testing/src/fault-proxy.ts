import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a fault proxy does with the bytes of each direction. */
export type FaultMode =
  | 'pass'
  /** Nothing gets through, connections stay: as if the cable were cut. Those that lost something stay silent. */
  | 'blackhole'
  /** Requests get through, replies do not: outcomes become unknown. */
  | 'drop-replies'
  /** Connections are reset, new ones too. */
  | 'reset';

/** A TCP proxy in front of a store, which a test makes fail. */
export class FaultProxy {
  readonly #server: Server;
  readonly #target: { host: string; port: number };
  readonly #pairs = new Set<{ client: Socket; upstream: Socket }>();
  #mode: FaultMode = 'pass';
  readonly port: number;

  private constructor(server: Server, port: number, target: { host: string; port: number }) {
    this.#server = server;
    this.#target = target;
    this.port = port;
    server.on('connection', (client) => this.#connect(client));
  }

  /** Listens on a free port in front of the host and port of `url`. */
  static async open(url: string): Promise<FaultProxy> {
    const { hostname, port } = new URL(url);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return new FaultProxy(server, address.port, { host: hostname, port: Number(port) });
  }

  /** The address of the store through the proxy. */
  through(url: string): string {
    const address = new URL(url);
    address.hostname = '127.0.0.1';
    address.port = String(this.port);
    return address.href;
  }

  set mode(mode: FaultMode) {
    this.#mode = mode;
    if (mode === 'reset') for (const pair of this.#pairs) destroy(pair);
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) destroy(pair);
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #connect(client: Socket): void {
    if (this.#mode === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.#target);
    const pair = { client, upstream };
    this.#pairs.add(pair);
    forward(client, upstream, () => this.#mode === 'pass' || this.#mode === 'drop-replies');
    forward(upstream, client, () => this.#mode === 'pass');
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined); // followed by close
      socket.on('close', () => {
        destroy(pair);
        this.#pairs.delete(pair);
      });
    }
  }
}

/** A stream has no holes: a direction that lost something stays silent, as when a router forgot the connection. */
function forward(from: Socket, to: Socket, mayPass: () => boolean): void {
  let isTorn = false;
  from.on('data', (bytes) => {
    isTorn ||= !mayPass();
    if (!isTorn) to.write(bytes);
  });
}

function destroy({ client, upstream }: { client: Socket; upstream: Socket }): void {
  client.destroy();
  upstream.destroy();
}
