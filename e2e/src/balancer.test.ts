import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ServiceProcess } from '@posthorn/stack';
import { type Balancer, findHaproxy, startBalancer, type Upstream } from '@posthorn/stack';
import { eventually, TestClient } from '@posthorn/testing';
import { repoFile } from './docs/repository';
import { World } from './fixture';

const DRAIN_MS = 3_000;
/** What a stop may take beyond its drain. */
const STOP_SLACK_MS = 5_000;
const SENDERS = 4;
const USERS = 6;
const BACKOFF_MS = 100;

let world: World;
let balancer: Balancer;

beforeAll(async () => {
  world = await World.start({ env: { DRAIN_MS: String(DRAIN_MS) } });
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

  constructor(user: string) {
    this.#user = user;
  }

  async run(): Promise<void> {
    const token = await world.token(this.#user);
    while (!this.#isDone) {
      const url = balancer.gatewayUrl.replace('http', 'ws');
      const client = await TestClient.connect({ url, token }).catch(() => null);
      if (client === null) {
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
        continue;
      }
      this.#client = client;
      client.socket.on('message', () => this.#keep(client));
      this.#keep(client);
      const { code } = await client.closed;
      if (this.#isDone) return;
      const [goodbye] = client.all('goodbye');
      this.ends.push({ code, saidGoodbye: goodbye !== undefined });
      await new Promise((resolve) => setTimeout(resolve, goodbye?.reconnectAfterMs ?? BACKOFF_MS));
    }
  }

  async stop(): Promise<void> {
    this.#isDone = true;
    await this.#client?.close();
  }

  get isConnected(): boolean {
    return this.#client?.socket.readyState === 1;
  }

  #keep(client: TestClient): void {
    for (const { seq, message } of client.all('message')) this.received.set(seq, message.text ?? '');
    const newest = client.all('message').at(-1);
    if (newest !== undefined && newest.seq % 10 === 0) client.send({ type: 'ack', seq: newest.seq });
  }
}

it('has a configuration for names as well, which HAProxy takes (docker-compose.yml)', async () => {
  const { command, env } = await findHaproxy();
  const files = ['defaults.cfg', 'names.cfg'].flatMap((file) => ['-f', repoFile(`deploy/haproxy/${file}`)]);
  const check = promisify(execFile)(command, ['-c', ...files], { env: { ...process.env, ...env } });
  await expect(check).resolves.toBeDefined();
});

describe('behind a balancer (deploy/haproxy)', () => {
  it('§2.5: restarting each service in turn under traffic fails no send, loses nothing, closes each socket with 1012', async () => {
    const users = Array.from({ length: USERS }, () => world.user('rolled'));
    const devices = users.map((user) => new Device(user));
    const running = devices.map((device) => device.run());
    await eventually('everybody is connected', () => devices.every((device) => device.isConnected), 20_000);

    const traffic = new Traffic(users);
    await eventually('traffic flows', () => devices.every((device) => device.received.size > 5), 20_000);
    for (const [name, services] of [
      ['send-api', world.sendApis],
      ['ws-gateway', world.gateways],
    ] as const) {
      for (const index of [0, 1]) await restart(name, services, index);
    }
    const { failures, sent } = await traffic.stop();

    expect(failures).toEqual([]);
    expect(sent).toBeGreaterThan(50);
    const everything = Array.from({ length: sent }, (_, index) => index + 1);
    for (const device of devices) {
      await eventually('all of it has come', () => device.received.size >= sent, 20_000);
      expect([...device.received.keys()].sort((a, b) => a - b)).toEqual(everything);
      expect(new Set(device.received.values()).size).toBe(sent);
    }
    const ends = devices.flatMap((device) => device.ends);
    // Both gateways were restarted, so everybody was sent away once at least.
    expect(devices.every((device) => device.ends.length > 0)).toBe(true);
    expect(ends.filter(({ code, saidGoodbye }) => code !== 1012 || !saidGoodbye)).toEqual([]);
    await Promise.all(devices.map((device) => device.stop()));
    await Promise.all(running);
  });
});

/** SIGTERM, its exit, the same again at its place, and the balancer's word that it is back. */
async function restart(
  name: 'send-api' | 'ws-gateway',
  services: readonly ServiceProcess[],
  index: number,
): Promise<void> {
  const stopping = services[index];
  if (stopping === undefined) throw new Error(`there is no ${name} ${index}`);
  const { port, adminPort } = upstreamOf(stopping);
  const isUp = new RegExp(`/${name}-${index + 1} is UP`);
  const upsBefore = balancer.logs().filter((line) => isUp.test(line)).length;
  const startedAt = performance.now();
  stopping.kill('SIGTERM');
  expect(await stopping.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedAt).toBeLessThan(DRAIN_MS + STOP_SLACK_MS);
  const place = { PORT: String(port), ADMIN_PORT: String(adminPort) };
  await (name === 'send-api' ? world.addSendApi(place) : world.addGateway(place));
  await eventually(
    `the balancer sees ${name} ${index + 1} again`,
    () => balancer.logs().filter((line) => isUp.test(line)).length > upsBefore,
    20_000,
  );
}

/** Senders that send one message after the other to everybody, and try nothing twice. */
class Traffic {
  readonly #running: Promise<void[]>;
  readonly #failures: string[] = [];
  #sent = 0;
  #isOver = false;

  constructor(users: readonly string[]) {
    this.#running = Promise.all(
      Array.from({ length: SENDERS }, (_, index) => this.#send(world.user(`sender-${index}`), users)),
    );
  }

  async stop(): Promise<{ failures: string[]; sent: number }> {
    this.#isOver = true;
    await this.#running;
    return { failures: this.#failures, sent: this.#sent };
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
          await response.arrayBuffer();
          return response.status;
        })
        .catch((error: unknown) => `${String(error)} ${error instanceof Error ? String(error.cause) : ''}`);
      if (answer === 201) this.#sent++;
      else this.#failures.push(`${performance.now().toFixed(0)}: ${answer}`);
      // At half of what the machine could do: the deploy is looked at, not an overload.
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }
}
