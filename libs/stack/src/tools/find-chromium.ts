import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { localFolder } from '../paths';
import { libraryPath, unpackedDebianPackage } from './debian-package';

/** A Chromium, or Chrome, that runs on this machine. */
export interface ChromiumBinary {
  command: string;
  /** The environment that it needs besides PATH. */
  env: Record<string, string>;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const PATHS = [
  ...(process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(Boolean)
    .flatMap((folder) => NAMES.map((name) => join(folder, name))),
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * Finds one for tests: on PATH, or unpacked in `cacheDir` by an earlier call. Otherwise, on Debian, it downloads and
 * unpacks the distribution's package there, without changing the system. Throws with the ways to get one.
 */
export async function findChromium(cacheDir = join(localFolder, 'chromium')): Promise<ChromiumBinary> {
  for (const command of PATHS.filter((path) => existsSync(path))) {
    const found = tryChromium(command, {});
    if (found !== undefined) return found;
  }
  const wanted = { title: 'Chromium', names: ['chromium'], find: findIn };
  const { binary, reason } = await unpackedDebianPackage(wanted, cacheDir, () => undefined);
  if (binary !== undefined) return binary;
  throw new Error(
    `No Chromium was found, and none could be fetched: ${reason}. Install it: apt-get install chromium, or brew install --cask chromium.`,
  );
}

/** The program itself, because the package's command is a script that only looks below /. */
function findIn(root: string): ChromiumBinary | undefined {
  const command = join(root, 'usr', 'lib', 'chromium', 'chromium');
  if (!existsSync(command)) return undefined;
  return tryChromium(command, {}) ?? tryChromium(command, { LD_LIBRARY_PATH: libraryPath(root) });
}

function tryChromium(command: string, env: Record<string, string>): ChromiumBinary | undefined {
  const { status } = spawnSync(command, ['--version'], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    timeout: 20_000,
  });
  return status === 0 ? { command, env } : undefined;
}
