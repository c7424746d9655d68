import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { localFolder } from '../paths';
import { unpackedDebianPackage } from './debian-package';

/** A Prometheus that runs on this machine, and the tool that comes with it. */
export interface PrometheusBinaries {
  prometheus: string;
  promtool: string;
}

/**
 * Finds both: on PATH, or in the distribution's package, unpacked below `.posthorn` without changing the system.
 * Throws with the ways to get them.
 */
export async function findPrometheus(): Promise<PrometheusBinaries> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  for (const folder of folders) {
    const found = inFolder(folder);
    if (found !== undefined) return found;
  }
  const find = (root: string) => inFolder(join(root, 'usr', 'bin'));
  const wanted = { title: 'Prometheus', names: ['prometheus'], find };
  const cacheDir = join(localFolder, 'prometheus');
  const { binary, reason } = await unpackedDebianPackage(wanted, cacheDir, () => undefined);
  if (binary !== undefined) return binary;
  throw new Error(
    `No Prometheus was found, and none could be fetched: ${reason}. Install it: apt-get install prometheus, or brew install prometheus.`,
  );
}

function inFolder(folder: string): PrometheusBinaries | undefined {
  const [prometheus, promtool] = [join(folder, 'prometheus'), join(folder, 'promtool')];
  return [prometheus, promtool].every(runs) ? { prometheus, promtool } : undefined;
}

function runs(command: string): boolean {
  return existsSync(command) && spawnSync(command, ['--version'], { timeout: 10_000 }).status === 0;
}
