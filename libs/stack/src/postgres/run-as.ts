import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A user that exists on this machine. */
export interface Account {
  name: string;
  uid: number;
  gid: number;
}

/** How to start a program as a certain user: words to put before the command, or ids for `spawn`. */
export interface Launch {
  prefix: readonly string[];
  uid?: number;
  gid?: number;
}

/** Starts programs as the current user. */
export const asMyself: Launch = { prefix: [] };

/** Whether this process is root, which Postgres refuses. */
export const isRoot = process.geteuid?.() === 0;

/** Starts programs as the account. */
export function asAccount({ uid, gid }: Account): Launch {
  return { prefix: [], uid: toInt32(uid), gid: toInt32(gid) };
}

/**
 * Starts programs as the account, with the right to pass folders that only root may enter (a clone below /root).
 * `no_setuid_fixup` is needed because Postgres checks its own files with access(2), which then counts this right.
 * Linux only.
 */
export function asAccountPastPermissions({ uid, gid }: Account): Launch {
  const capabilities = '-all,+dac_override';
  return {
    prefix: [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      '--securebits=+no_setuid_fixup',
      `--inh-caps=${capabilities}`,
      `--ambient-caps=${capabilities}`,
      '--',
    ],
  };
}

/** Whether a program started this way can read all the files and write to all the folders. */
export function canReach(launch: Launch, files: readonly string[], folders: readonly string[]): boolean {
  const script = `n=$1; shift; for f; do if [ "$n" -gt 0 ]; then test -r "$f" || exit 1; n=$((n - 1))
    else test -w "$f" && test -x "$f" || exit 1; fi; done`;
  const words = [...launch.prefix, '/bin/sh', '-c', script, 'sh', String(files.length), ...files, ...folders];
  const [command = '/bin/sh', ...args] = words;
  return spawnSync(command, args, { ...ids(launch), cwd: '/', stdio: 'ignore' }).status === 0;
}

/** The options of `spawn` for the user that runs it. */
export function ids({ uid, gid }: Launch): { uid?: number; gid?: number } {
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
}

/**
 * `nobody`, or any other account that is not root. Postgres' initdb needs one that exists in the system's user list.
 */
export function unprivilegedAccount(): Account {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.split(':'))
    .map(([name = '', , uid = '0', gid = '0']) => ({ name, uid: toUint32(uid), gid: toUint32(gid) }))
    .filter(({ name, uid }) => name !== '' && uid !== 0);
  const account = accounts.find(({ name }) => name === 'nobody') ?? accounts.at(-1);
  if (account === undefined) {
    throw new Error(
      'Postgres refuses to run as root, and /etc/passwd names no other user. Add one, run this as another user, or set DATABASE_URL.',
    );
  }
  return account;
}

/** `chown` takes unsigned ids, but macOS prints nobody as -2. */
function toUint32(text: string): number {
  return Number.parseInt(text, 10) >>> 0;
}

/** `spawn` takes signed ids. */
function toInt32(id: number): number {
  return id | 0;
}
