import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What to unpack, and how to find the program in it. */
export interface DebianPackage<Binary> {
  /** For messages: `Redis`. */
  title: string;
  /** The first name that the distribution has is used. */
  names: readonly string[];
  /** Finds the program below the unpacked folder, if it runs on this machine. */
  find(root: string): Binary | undefined;
}

const APT_BOUND_MS = 180_000;

/**
 * A program of the distribution, unpacked below `cacheDir`. `apt-get`, with its own lists and caches, downloads the
 * package and its missing dependencies, and `dpkg-deb -x` unpacks them. It needs no root and installs nothing.
 */
export async function unpackedDebianPackage<Binary>(
  wanted: DebianPackage<Binary>,
  cacheDir: string,
  onProgress: (text: string) => void,
): Promise<{ binary?: Binary; reason: string }> {
  const root = join(cacheDir, 'root');
  const cached = wanted.find(root);
  if (cached !== undefined) return { binary: cached, reason: '' };
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) {
    return { reason: 'this is not a Debian or Ubuntu with apt-get' };
  }
  mkdirSync(cacheDir, { recursive: true });
  const work = mkdtempSync(join(cacheDir, 'download-'));
  try {
    onProgress(`downloading the ${wanted.title} package of this system (not installing it)`);
    const reason = await download(work, wanted.names, onProgress);
    if (reason !== undefined) return { reason };
    const fresh = join(work, 'root');
    for (const file of downloaded(work)) await run('dpkg-deb', ['-x', file, fresh]);
    if (wanted.find(fresh) === undefined) return { reason: 'the package of this system does not run here' };
    // Renamed in one step, because another process may be doing the same.
    if (!existsSync(root)) renameSync(fresh, root);
    const binary = wanted.find(root);
    return binary === undefined
      ? { reason: `${root} holds something else; remove it` }
      : { binary, reason: '' };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The reason, if the download failed. */
async function download(
  work: string,
  names: readonly string[],
  onProgress: (text: string) => void,
): Promise<string | undefined> {
  mkdirSync(join(work, 'archives', 'partial'), { recursive: true });
  mkdirSync(join(work, 'lists', 'partial'), { recursive: true });
  const systemLists = '/var/lib/apt/lists';
  // The system's lists may be missing (in most container images) or so old that their files are gone.
  if (await fetchWith(work, names, systemLists)) return undefined;
  onProgress('reading the package lists of this system (apt-get update, in a private folder)');
  const lists = join(work, 'lists');
  // It fails if any single source fails. Only whether the package is found afterwards matters.
  const update = await run('apt-get', [...aptOptions(work, lists), 'update']);
  if (await fetchWith(work, names, lists)) return undefined;
  const complaint = update.output.split('\n').findLast((line) => /^(E|Err|W):?/.test(line));
  return `apt-get did not find it${complaint === undefined ? '' : ` (${complaint})`}`;
}

async function fetchWith(work: string, names: readonly string[], lists: string): Promise<boolean> {
  for (const name of names) {
    const args = ['-y', '--no-install-recommends', '--download-only', 'install', name];
    const { code } = await run('apt-get', [...aptOptions(work, lists), ...args]);
    if (code === 0 && downloaded(work).length > 0) return true;
  }
  return false;
}

function aptOptions(work: string, lists: string): string[] {
  return [
    `Dir::State=${work}`,
    `Dir::State::lists=${lists}`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${work}`,
    `Dir::Cache::archives=${join(work, 'archives')}`,
    // The locks and the sandbox user belong to the system, and nothing in the system changes here.
    'Debug::NoLocking=true',
    'APT::Sandbox::User=root',
    'Acquire::Retries=2',
  ].flatMap((option) => ['-o', option]);
}

function downloaded(work: string): string[] {
  const archives = join(work, 'archives');
  return readdirSync(archives)
    .filter((name) => name.endsWith('.deb'))
    .map((name) => join(archives, name));
}

/**
 * Where shared libraries are in an unpacked package: lib and usr/lib, in each a folder named for the machine, and one
 * folder deeper for private libraries.
 */
export function libraryPath(root: string): string {
  const found = ['lib', join('usr', 'lib')]
    .map((name) => join(root, name))
    .filter((path) => existsSync(path));
  const nested = found.flatMap(foldersIn).filter((path) => path.includes('linux-gnu'));
  return [...nested, ...nested.flatMap(foldersIn), ...found].join(delimiter);
}

function foldersIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(path, entry.name));
}

function run(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: APT_BOUND_MS,
    });
    let output = '';
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}
