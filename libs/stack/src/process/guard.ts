import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';

type Word =
  | { watch: number; signal: NodeJS.Signals }
  | { forget: number }
  | { remove: string }
  | { keep: string };

const GUARD = join(__dirname, '..', '..', 'guard.cjs');

let guard: ChildProcess | undefined;
let watched = 0;

/**
 * Makes sure that a child ends when this process ends in any way (exception, SIGINT, SIGKILL). The guard process then
 * sends it `signal`, and SIGKILL 3 s later. Returns a function to call once the child has ended.
 */
export function guardProcess(pid: number, signal: NodeJS.Signals): () => void {
  return guarding({ watch: pid, signal }, { forget: pid });
}

/** Makes sure that a temporary folder is removed when this process ends. Returns a function that cancels this. */
export function guardFolder(folder: string): () => void {
  return guarding({ remove: folder }, { keep: folder });
}

function guarding(begin: Word, end: Word): () => void {
  watched += 1;
  tell(begin);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    watched -= 1;
    tell(end);
    if (watched > 0) return;
    guard?.stdin?.end();
    guard = undefined;
  };
}

function tell(word: Word): void {
  guard ??= startGuard();
  guard.stdin?.write(`${JSON.stringify(word)}\n`);
}

function startGuard(): ChildProcess {
  // Its own session: Ctrl-C in a terminal reaches the whole process group, and the guard must survive it.
  const child = spawn(process.execPath, [GUARD], {
    cwd: '/',
    detached: true,
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', withoutGuard);
  child.stdin.on('error', withoutGuard);
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}

/** Everything works without a guard too. Only a killed parent would leave its children running. */
function withoutGuard(): void {}
