/**
 * A small process that outlives its parent briefly. Its standard input ends when the parent is gone, in any way (also
 * SIGKILL). Then it ends the processes and removes the folders that the parent named.
 * It is plain JavaScript, so that it runs the same from the sources and from the build.
 *
 * Input, one JSON object per line: {"watch": PID, "signal": NAME} | {"forget": PID} | {"remove": FOLDER} | {"keep":
 * FOLDER}
 */
const { rmSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { setTimeout: sleep } = require('node:timers/promises');

const GRACE_MS = 3_000;
const watched = new Map();
const folders = new Set();

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false; // already gone
  }
}

async function cleanUp() {
  for (const [pid, signal] of watched) kill(pid, signal);
  const deadline = Date.now() + GRACE_MS;
  while (Date.now() < deadline && [...watched.keys()].some((pid) => kill(pid, 0))) await sleep(50);
  for (const pid of watched.keys()) kill(pid, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { watch, signal, forget, remove, keep } = JSON.parse(line);
    if (watch !== undefined) watched.set(watch, signal);
    if (forget !== undefined) watched.delete(forget);
    if (remove !== undefined) folders.add(remove);
    if (keep !== undefined) folders.delete(keep);
  })
  .on('close', () => void cleanUp());
