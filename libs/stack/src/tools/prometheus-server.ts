import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../process/free-port';
import { startProcess } from '../process/managed-process';
import { findPrometheus } from './find-prometheus';

/** A running Prometheus. */
export interface PrometheusServer {
  /** `http://127.0.0.1:PORT` */
  url: string;
  stop(): Promise<void>;
}

const READY_BOUND_MS = 120_000;
const STOP_BOUND_MS = 5_000;

/** Starts one with this configuration file. Its data go to `dir`. */
export async function startPrometheus(dir: string, configFile: string): Promise<PrometheusServer> {
  const { prometheus } = await findPrometheus();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(dir, { recursive: true });
  const child = await startProcess({
    name: 'Prometheus',
    command: prometheus,
    args: [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: dir,
    orphanSignal: 'SIGTERM',
  });
  const boundAt = Date.now() + READY_BOUND_MS;
  let isOver = false;
  void child.exited.then(() => {
    isOver = true;
  });
  while (!(await isReady(url))) {
    if (isOver || Date.now() > boundAt) {
      await child.stop('SIGKILL', 0);
      throw child.failure('did not come to serve');
    }
    await sleep(50);
  }
  return { url, stop: async () => void (await child.stop('SIGTERM', STOP_BOUND_MS)) };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(10_000) })).ok;
  } catch {
    return false;
  }
}
