import type { ServerFrame } from '@posthorn/protocol';
import { TestClient } from '@posthorn/testing';
import { createRandom } from '../random';
import { ApiClient } from '../workload/api-client';
import type { World } from '../world/world';

/** A message in its frame. */
type MessageFrame = Extract<ServerFrame, { type: 'message' }>;

/** Calls back with each message from now on. */
export function onMessage({ socket }: TestClient, take: (frame: MessageFrame) => void): void {
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as ServerFrame;
    if (frame.type === 'message') take(frame);
  });
}

/** A running world, and its clients. */
export class Site {
  readonly world: World;
  readonly #random = createRandom(1);
  readonly #apis: ApiClient[] = [];

  constructor(world: World) {
    this.world = world;
  }

  /** A client of one send-api, or of all. */
  api(index?: number): ApiClient {
    const urls = this.world.apis.map(({ url }) => url);
    const api = new ApiClient(
      index === undefined ? urls : urls.slice(index, index + 1),
      (user) => this.#token(user),
      this.#random.fork(),
    );
    this.#apis.push(api);
    return api;
  }

  /** Connects a device to one gateway. @throws RefusedError, or the socket's error */
  async connect(user: string, gateway: number, device = 'd'): Promise<TestClient> {
    const url = this.world.gateways[gateway]?.url.replace('http', 'ws') ?? '';
    return await TestClient.connect({ url, token: this.#token(user), query: { device } });
  }

  async isOnline(user: string): Promise<boolean> {
    const response = await fetch(`${this.world.apis[0]?.url}/v1/presence?users=${user}`, {
      headers: { Authorization: `Bearer ${this.#token(user)}` },
    });
    const { items } = (await response.json()) as { items?: { online: boolean }[] };
    return items?.[0]?.online === true;
  }

  close(): void {
    for (const api of this.#apis) api.close();
  }

  #token(user: string): string {
    const token = this.world.tokens.get(user);
    if (token === undefined) throw new Error(`there is no user ${user}`);
    return token;
  }
}
