import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repoRoot } from '../paths';
import { freePort } from '../process/free-port';
import { startProcess } from '../process/managed-process';
import { findHaproxy } from './find-haproxy';

/** The public and the admin port of a service process, named as in `deploy/haproxy/addresses.cfg`. */
export interface Upstream {
  port: number;
  adminPort: number;
}

/** A running HAProxy with the configuration of `deploy/haproxy`. */
export interface Balancer {
  /** The address of the send-apis: `http://127.0.0.1:PORT` */
  apiUrl: string;
  /** The address of the gateways: `http://127.0.0.1:PORT` */
  gatewayUrl: string;
  logs(): string[];
  stop(): Promise<void>;
}

const FOLDER = join(repoRoot, 'deploy', 'haproxy');
const READY_BOUND_MS = 60_000;
const STOP_BOUND_MS = 5_000;
/** Twice as often as in production. A check must also connect within this time, so it cannot be much shorter. */
const CHECK_INTERVAL = '500ms';

/**
 * Starts an HAProxy in front of two processes of each service. Throws if there is no HAProxy and none can be fetched.
 */
export async function startBalancer(
  sendApis: readonly [Upstream, Upstream],
  gateways: readonly [Upstream, Upstream],
): Promise<Balancer> {
  const binary = await findHaproxy();
  const [apiPort, gatewayPort] = [await freePort(), await freePort()];
  const addresses = Object.fromEntries(
    Object.entries({ SEND_API: sendApis, WS_GATEWAY: gateways }).flatMap(([name, upstreams]) =>
      upstreams.flatMap(({ port, adminPort }, index) => [
        [`${name}_${index + 1}`, `127.0.0.1:${port}`],
        [`${name}_${index + 1}_ADMIN`, String(adminPort)],
      ]),
    ),
  );
  const child = await startProcess({
    name: 'HAProxy',
    command: binary.command,
    args: ['-db', ...['defaults.cfg', 'addresses.cfg'].flatMap((file) => ['-f', join(FOLDER, file)])],
    env: {
      PATH: process.env['PATH'] ?? '',
      ...binary.env,
      ...addresses,
      SEND_API_BIND: `127.0.0.1:${apiPort}`,
      WS_GATEWAY_BIND: `127.0.0.1:${gatewayPort}`,
      CHECK_INTERVAL,
    },
    orphanSignal: 'SIGTERM',
  });
  const [apiUrl, gatewayUrl] = [`http://127.0.0.1:${apiPort}`, `http://127.0.0.1:${gatewayPort}`];
  const boundAt = Date.now() + READY_BOUND_MS;
  let isOver = false;
  void child.exited.then(() => {
    isOver = true;
  });
  // Each side answers once one of its health checks has passed. A gateway answers a plain request with 426.
  while (
    !(
      (await statusOf(`${apiUrl}/openapi.json`)) === 200 &&
      (await statusOf(`${gatewayUrl}/v1/connect`)) === 426
    )
  ) {
    if (isOver || Date.now() > boundAt) {
      await child.stop('SIGKILL', 0);
      throw child.failure('did not come to serve');
    }
    await sleep(50);
  }
  return {
    apiUrl,
    gatewayUrl,
    logs: () => child.logs(),
    stop: async () => void (await child.stop('SIGTERM', STOP_BOUND_MS)),
  };
}

function statusOf(url: string): Promise<number> {
  return new Promise((resolve) => {
    const asking = request(url, { agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.once('timeout', () => asking.destroy());
    asking.once('error', () => resolve(0));
    asking.end();
  });
}
