import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { promisify } from 'node:util';
import type { ServerFrame } from '@posthorn/protocol';
import type { ServiceProcess } from '@posthorn/stack';
import { type Balancer, findHaproxy, startBalancer, type Upstream } from '@posthorn/stack';
import { eventually, hasTool, TestClient } from '@posthorn/testing';
import { repoFile } from './docs/repository';
import { World } from './fixture';

const itWithHaproxy = hasTool('haproxy') ? it : it.skip;

const describeWithHaproxy = hasTool('haproxy') ? describe : describe.skip;

/** Half of it is the balancer's to notice a stop: three times what its two checks take. */
const DRAIN_MS = 6_000;
/** Sends that must be accepted while one process of a service is away. */
const SENDS_MEANWHILE = 10;
/** Longer than the time between two checks, and much shorter than the 4 s that an answer may take. */
const SLOW_READINESS_MS = 800;
const SLOW_CHECKS = 4;
const SENDERS = 4;
const USERS = 6;
const BACKOFF_MS = 100;

let world: World;
let balancer: Balancer;

beforeAll(async () => {
  world = await World.start({ env: { DRAIN_MS: String(DRAIN_MS) }, patientWith: ['postgres'] });
  const [api1, api2, gateway1, gateway2] = [...world.sendApis, ...world.gateways].map(upstreamOf);
  if (!api1 || !api2 || !gateway1 || !gateway2) throw new Error('two of each service were to be started');
  balancer = await startBalancer([api1, api2], [gateway1, gateway2]);
});

afterAll(async () => {
  await balancer?.stop();
  await world?.stop();
});

function upstreamOf({ url, adminUrl }: ServiceProcess): Upstream {
  return { port: Number(new URL(url).port), adminPort: Number(new URL(adminUrl).port) };
}

/** A device that does as PROTOCOL §5.7 says: keeps what comes, acknowledges it, and comes back after 1012. */
class Device {
  /** Texts by `seq`. */
  readonly received = new Map<number, string>();
  /** How each of its connections ended, but for the last. */
  readonly ends: { code: number; saidGoodbye: boolean }[] = [];
  #client: TestClient | null = null;
  #isDone = false;
  readonly #user: string;
  readonly #running: Promise<void>;

  constructor(user: string) {
    this.#user = user;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    const token = await world.token(this.#user);
    while (!this.#isDone) {
      const url = balancer.gatewayUrl.replace('http', 'ws');
      const client = await TestClient.connect({ url, token }).catch(() => null);
      if (client === null) {
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
        continue;
      }
      this.#client = client;
      // A stop that came while it connected has cut nothing.
      if (this.#isDone) client.terminate();
      let kept = 0;
      const keep = (): void => {
        for (; kept < client.frames.length; kept++) this.#keep(client, client.frames[kept]);
      };
      client.socket.on('message', keep);
      keep();
      const { code } = await client.closed;
      if (this.#isDone) return;
      const [goodbye] = client.all('goodbye');
      this.ends.push({ code, saidGoodbye: goodbye !== undefined });
      await new Promise((resolve) => setTimeout(resolve, goodbye?.reconnectAfterMs ?? BACKOFF_MS));
    }
  }

  async stop(): Promise<void> {
    this.#isDone = true;
    this.#client?.terminate();
    await this.#running;
  }

  get isConnected(): boolean {
    return this.#client?.socket.readyState === 1;
  }

  #keep(client: TestClient, frame: ServerFrame | undefined): void {
    if (frame?.type !== 'message') return;
    const { seq, message } = frame;
    this.received.set(seq, message.text ?? '');
    if (seq % 10 === 0) client.send({ type: 'ack', seq });
  }
}

itWithHaproxy('has a configuration for names as well, which HAProxy takes (docker-compose.yml)', async () => {
  const { command, env } = await findHaproxy();
  const files = ['defaults.cfg', 'names.cfg'].flatMap((file) => ['-f', repoFile(`deploy/haproxy/${file}`)]);
  const check = promisify(execFile)(command, ['-c', ...files], { env: { ...process.env, ...env } });
  await expect(check).resolves.toBeDefined();
});

itWithHaproxy('§2.4: a readiness that is slow to answer takes no server out', async () => {
  const servers = await Promise.all([200, 200, 426, 426].map((status) => SlowServer.listen(status)));
  const [api1, api2, gateway1, gateway2] = servers.map(({ upstream }) => upstream);
  if (!api1 || !api2 || !gateway1 || !gateway2) throw new Error('a server is missing');
  const slow = await startBalancer([api1, api2], [gateway1, gateway2]);
  try {
    await eventually('each was checked often', () => servers.every(({ checks }) => checks >= SLOW_CHECKS));
    expect(slow.logs().filter((line) => line.includes(' is DOWN'))).toEqual([]);
  } finally {
    await slow.stop();
    for (const server of servers) server.close();
  }
});

describeWithHaproxy('behind a balancer (deploy/haproxy)', () => {
  const devices: Device[] = [];
  let traffic: Traffic | undefined;

  afterEach(async () => {
    await traffic?.stop();
    await Promise.all(devices.map((device) => device.stop()));
  });

  it('§2.5: restarting each service in turn under traffic fails no send, loses nothing, closes each socket with 1012', async () => {
    const users = Array.from({ length: USERS }, () => world.user('rolled'));
    devices.push(...users.map((user) => new Device(user)));
    await eventually('everybody is connected', () => devices.every((device) => device.isConnected));

    traffic = new Traffic(users);
    await eventually('traffic flows', () => devices.every((device) => device.received.size > 5));
    for (const [name, services] of [
      ['send-api', world.sendApis],
      ['ws-gateway', world.gateways],
    ] as const) {
      for (const index of [0, 1]) await restart(name, services, index, traffic);
    }
    const { failures, sent } = await traffic.stop();

    expect(failures).toEqual([]);
    const everything = Array.from({ length: sent }, (_, index) => index + 1);
    for (const device of devices) {
      await eventually('all of it has come', () => device.received.size >= sent);
      expect([...device.received.keys()].sort((a, b) => a - b)).toEqual(everything);
      expect(new Set(device.received.values()).size).toBe(sent);
    }
    const ends = devices.flatMap((device) => device.ends);
    // Both gateways were restarted, so everybody was sent away once at least.
    expect(devices.every((device) => device.ends.length > 0)).toBe(true);
    expect(ends.filter(({ code, saidGoodbye }) => code !== 1012 || !saidGoodbye)).toEqual([]);
  });
});

/** SIGTERM, its exit, sends without it, the same again at its place; the balancer notices both. */
async function restart(
  name: 'send-api' | 'ws-gateway',
  services: readonly ServiceProcess[],
  index: number,
  traffic: Traffic,
): Promise<void> {
  const stopping = services[index];
  if (stopping === undefined) throw new Error(`there is no ${name} ${index}`);
  const { port, adminPort } = upstreamOf(stopping);
  stopping.kill('SIGTERM');
  // A stop that is cut ends with another code.
  expect(await stopping.exited).toEqual({ code: 0, signal: null });
  const server = `/${name}-${index + 1}`;
  await eventually(`the balancer misses ${server}`, () => lastStateOf(server) === 'DOWN');
  const wanted = traffic.sent + SENDS_MEANWHILE;
  await eventually(`sends go on without ${server}`, () => traffic.sent >= wanted);
  const place = { PORT: String(port), ADMIN_PORT: String(adminPort) };
  await (name === 'send-api' ? world.addSendApi(place) : world.addGateway(place));
  await eventually(`the balancer sees ${server} again`, () => lastStateOf(server) === 'UP');
}

/** What the balancer last said of a server. */
function lastStateOf(server: string): string | undefined {
  const said = new RegExp(`${server} is (UP|DOWN)`);
  return balancer
    .logs()
    .flatMap((line) => said.exec(line)?.[1] ?? [])
    .at(-1);
}

/** Answers its balancer's checks late, and all else at once with one status. */
class SlowServer {
  checks = 0;
  readonly #server: Server;

  private constructor(status: number) {
    this.#server = createServer((request, response) => {
      if (request.url !== '/readyz') {
        response.writeHead(status).end();
        return;
      }
      setTimeout(() => {
        this.checks++;
        response.end();
      }, SLOW_READINESS_MS);
    });
  }

  static async listen(status: number): Promise<SlowServer> {
    const slow = new SlowServer(status);
    slow.#server.listen(0, '127.0.0.1');
    await once(slow.#server, 'listening');
    return slow;
  }

  get upstream(): Upstream {
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return { port, adminPort: port };
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Senders that send one message after the other to everybody, and try nothing twice. */
class Traffic {
  readonly #running: Promise<void[]>;
  readonly #failures: string[] = [];
  sent = 0;
  #isOver = false;

  constructor(users: readonly string[]) {
    this.#running = Promise.all(
      Array.from({ length: SENDERS }, (_, index) => this.#send(world.user(`sender-${index}`), users)),
    );
  }

  async stop(): Promise<{ failures: string[]; sent: number }> {
    this.#isOver = true;
    await this.#running;
    return { failures: this.#failures, sent: this.sent };
  }

  async #send(sender: string, users: readonly string[]): Promise<void> {
    const token = await world.token(sender);
    for (let count = 0; !this.#isOver; count++) {
      const answer = await fetch(`${balancer.apiUrl}/v1/messages`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ to: users, text: `${sender} ${count}` }),
      })
        .then(async (response) => {
          const body = await response.text();
          return response.status === 201 ? 201 : `${response.status} ${body}`;
        })
        .catch((error: unknown) => `${String(error)} ${error instanceof Error ? String(error.cause) : ''}`);
      if (answer === 201) this.sent++;
      else this.#failures.push(`${performance.now().toFixed(0)}: ${answer}`);
      // At half of what the machine could do: the deploy is looked at, not an overload.
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}
