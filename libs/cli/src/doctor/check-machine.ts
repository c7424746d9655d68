import { execFileSync } from 'node:child_process';
import { type Finding, fault, ok, warning } from './finding.ts';

/** With fewer open files a gateway refuses connections early, and below the second limit it hardly starts. */
const GOOD_FILES = 65_536;
const MIN_FILES = 2_048;
const REMEDY = `Raise it to ${GOOD_FILES} or more: LimitNOFILE in systemd, ulimits in Compose, or ulimit -n.`;

/** Checks this machine, for a service that runs on it as this user. */
export function checkMachine(): Finding[] {
  const files = findFileLimit();
  if (files === undefined) return [];
  const check = 'open files';
  const detail = files === Infinity ? 'no limit' : `at most ${files}: each connection of a gateway takes one`;
  if (files < MIN_FILES) return [fault(check, detail, REMEDY)];
  return [files < GOOD_FILES ? warning(check, detail, REMEDY) : ok(check, detail)];
}

/** The hard limit counts, because Node raises the soft limit to it at its start. A shell does not. */
function findFileLimit(): number | undefined {
  if (process.platform === 'win32') return undefined;
  const text = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim();
  return text === 'unlimited' ? Infinity : Number(text);
}
