import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../docs/repository';

const run = promisify(execFile);

/**
 * The version that runs in production while this one is rolled out: the newest earlier release, or else the commit
 * before.
 */
export function previousVersion(): string | undefined {
  return (
    git('describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD~1') ??
    git('rev-parse', '--short', 'HEAD~1')
  );
}

/** An earlier version, built with its own lockfile, in a folder that is removed at the end. */
export interface PreviousVersion {
  folder: string;
  remove(): void;
}

export async function buildPrevious(version: string): Promise<PreviousVersion> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-previous-'));
  await run('sh', ['-c', 'git -C "$1" archive "$2" | tar -x -C "$3"', 'sh', root, version, folder]);
  const { packageManager } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    packageManager: string;
  };
  const pnpm = ['--yes', packageManager.split('+')[0] ?? ''];
  const options = {
    cwd: folder,
    env: { ...process.env, CI: 'true', npm_config_manage_package_manager_versions: 'false' },
  };
  await run('npx', [...pnpm, 'install', '--frozen-lockfile', '--prefer-offline'], options);
  await run(join(folder, 'node_modules', '.bin', 'tsc'), ['-b'], options);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', ['-C', root, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined; // no git history here, or no tag in it
  }
}
