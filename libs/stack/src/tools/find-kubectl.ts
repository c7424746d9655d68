import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { localFolder } from '../paths';
import { unpackedDebianPackage } from './debian-package';

/** The oldest whose `kustomize` supports components. */
const OLDEST_MINOR = 22;

/**
 * The command of a kubectl of 1.22 or newer: on PATH, or the distribution's, unpacked below `.posthorn` without
 * changing the system. Throws with the ways to get one. It needs no cluster, because it only renders kustomizations.
 */
export async function findKubectl(): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  for (const command of folders.map((folder) => join(folder, 'kubectl'))) {
    if (isNewEnough(command)) return command;
  }
  const find = (root: string): string | undefined => {
    const command = join(root, 'usr', 'bin', 'kubectl');
    return isNewEnough(command) ? command : undefined;
  };
  const wanted = { title: 'kubectl', names: ['kubernetes-client'], find };
  const cacheDir = join(localFolder, 'kubectl');
  const { binary, reason } = await unpackedDebianPackage(wanted, cacheDir, () => undefined);
  if (binary !== undefined) return binary;
  throw new Error(
    `No kubectl of 1.${OLDEST_MINOR} or newer was found, and none could be fetched: ${reason}. ` +
      'Install it: https://kubernetes.io/docs/tasks/tools/, or brew install kubernetes-cli.',
  );
}

function isNewEnough(command: string): boolean {
  if (!existsSync(command)) return false;
  const { stdout } = spawnSync(command, ['version', '--client', '-o', 'json'], {
    timeout: 10_000,
    encoding: 'utf8',
  });
  const minor = /"minor": "(\d+)/.exec(stdout ?? '')?.[1];
  return Number(minor ?? 0) >= OLDEST_MINOR;
}
