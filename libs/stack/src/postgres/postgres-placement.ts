import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Account,
  asAccount,
  asAccountPastPermissions,
  asMyself,
  canReach,
  isRoot,
  type Launch,
  unprivilegedAccount,
} from './run-as';

/** Where a Postgres server and its files are, and which user runs it. */
export interface Placement {
  /** Contains `bin`, `lib` and `share`. */
  binaries: string;
  /** Contains the data. It differs from the requested folder only if no other user could get access to that. */
  dir: string;
  launch: Launch;
}

/**
 * Postgres refuses to run as root. As root, this finds another user, gives it the folder, and finds a way to reach
 * it: first directly, then past the permissions of the parent folders, then with copies in a temporary folder that
 * everybody can reach.
 * `ways` limits the ways to try, in order.
 */
export function placePostgres(
  dir: string,
  binaries: string,
  ways: readonly Way[] = [directly, pastPermissions, byCopies],
): Placement {
  mkdirSync(dir, { recursive: true });
  if (!isRoot) return { binaries, dir, launch: asMyself };
  const account = ownerOf(dir) ?? unprivilegedAccount();
  for (const way of ways) {
    const placement = way(dir, binaries, account);
    if (placement !== undefined) return placement;
  }
  throw new Error(
    `Postgres refuses to run as root, and the user ${account.name} cannot get access to ${dir}. Move the project to a folder that other users may enter (chmod o+x on each folder above it), run this as another user, or set DATABASE_URL.`,
  );
}

type Way = (dir: string, binaries: string, account: Account) => Placement | undefined;

export function directly(dir: string, binaries: string, account: Account): Placement | undefined {
  return tried({ binaries, dir, launch: asAccount(account) }, account);
}

export function pastPermissions(dir: string, binaries: string, account: Account): Placement | undefined {
  if (process.platform !== 'linux') return undefined;
  return tried({ binaries, dir, launch: asAccountPastPermissions(account) }, account);
}

/** Copies only what the account cannot reach in place. The next start finds the copies again. */
export function byCopies(dir: string, binaries: string, account: Account): Placement | undefined {
  const launch = asAccount(account);
  for (const base of ['/var/tmp', tmpdir()]) {
    if (!canReach(launch, [], [base])) continue;
    const reachableBinaries = canReach(launch, filesOf(binaries), [])
      ? binaries
      : copyOf(binaries, join(base, `posthorn-postgres-${hash(binaries)}`));
    const reachableDir = canReach(launch, [], [dir]) ? dir : join(base, `posthorn-data-${hash(dir)}`);
    mkdirSync(reachableDir, { recursive: true, mode: 0o700 });
    assertMine(reachableDir, account);
    const placement = tried({ binaries: reachableBinaries, dir: reachableDir, launch }, account);
    if (placement !== undefined) return placement;
  }
  return undefined;
}

function tried(placement: Placement, account: Account): Placement | undefined {
  give(placement.dir, account);
  return canReach(placement.launch, filesOf(placement.binaries), [placement.dir]) ? placement : undefined;
}

function filesOf(binaries: string): string[] {
  return [join(binaries, 'bin', 'postgres'), join(binaries, 'share', 'postgresql', 'postgres.bki')];
}

/** The user that created the data, so that a later start as root does not change the owner. */
function ownerOf(dir: string): Account | undefined {
  const data = join(dir, 'data');
  if (!existsSync(data)) return undefined;
  const { uid, gid } = statSync(data);
  return uid === 0 ? undefined : { name: `number ${uid}`, uid, gid };
}

/** Makes the account the owner of the folder and its contents, unless it already is. */
function give(path: string, { uid, gid }: Account): void {
  if (lstatSync(path).uid === uid) return;
  const walk = (item: string): void => {
    lchownSync(item, uid, gid);
    if (lstatSync(item).isDirectory()) for (const name of readdirSync(item)) walk(join(item, name));
  };
  walk(path);
}

function copyOf(folder: string, copy: string): string {
  if (existsSync(copy)) {
    assertMine(copy);
    return copy;
  }
  const half = `${copy}.${process.pid}`;
  cpSync(folder, half, { recursive: true, verbatimSymlinks: true });
  chmodSync(half, 0o755);
  try {
    renameSync(half, copy);
  } catch {
    // Another process made the same copy first.
    rmSync(half, { recursive: true, force: true });
    assertMine(copy);
  }
  return copy;
}

/** Everybody may write to a temporary folder, so a file under our name must belong to us. */
function assertMine(path: string, account?: Account): void {
  const found = lstatSync(path);
  if (found.isDirectory() && (found.uid === 0 || found.uid === account?.uid)) return;
  throw new Error(`${path} belongs to another user (${found.uid}). Remove it, or set DATABASE_URL.`);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
