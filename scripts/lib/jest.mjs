/** Runs jest as a part of a test command. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, cleanEnv, root, run, tool } from './run.mjs';

/** The names of system tests end with this. `npm test` leaves them out, and `npm run test:system` runs only them. */
const SYSTEM_TEST = '\\.system\\.test\\.ts$';

/** The arguments of jest for `npm test` and `npm run test:system`, and for paths that a person names. */
export const selections = {
  change: ['--testPathIgnorePatterns', '/node_modules/', SYSTEM_TEST],
  system: [SYSTEM_TEST],
};

/** Names the file in which the reporter writes the counts and failures of a run. */
export const REPORT_VARIABLE = 'POSTHORN_TEST_REPORT';
/** The duration of each test file in seconds, as last recorded. */
export const TIMES = join(root, 'scripts', 'test-times.json');

/** Returns the first of the paths among these arguments that matches no test file, or undefined. */
export async function pathWithoutTest(args) {
  const option = args.findIndex((arg) => arg.startsWith('-'));
  for (const path of option < 0 ? args : args.slice(0, option)) {
    const files = await run(tool('jest'), ['--listTests', '--passWithNoTests', path]);
    if (files.trim() === '') return path;
  }
  return undefined;
}

/**
 * Runs jest with these arguments. Returns a PartResult with `files`, each with its seconds.
 *
 * @param {string[]} args
 * @param {{ missingTools?: string[] }} options the names of tools whose tests are skipped
 */
export async function runJest(args, { missingTools = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-jest-'));
  const report = join(folder, 'report.json');
  const startedAt = performance.now();
  const env = cleanEnv({ POSTHORN_MISSING_TOOLS: missingTools.join(','), [REPORT_VARIABLE]: report });
  let isPassed = true;
  try {
    await run(tool('jest'), args, { show: true, env });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    isPassed = false;
  }
  const { files, counts } = read(report);
  rmSync(folder, { recursive: true });
  const failures = files.flatMap(({ path, isBroken, failed }) => [
    ...(isBroken ? [{ title: path, again: again(path) }] : []),
    ...failed.map((title) => ({ title: `${path}: ${title}`, again: again(path, title) })),
  ]);
  if (!isPassed && failures.length === 0) {
    failures.push({ title: 'jest ended with an error, see above', again: `npx jest ${args.join(' ')}` });
  }
  return { name: 'tests', isPassed, ms: performance.now() - startedAt, counts, failures, files };
}

/** Records the duration of each test file, so that later runs on any machine start the longest first. */
export function recordTimes(files) {
  const long = files.filter(({ seconds }) => seconds >= 1).sort((a, b) => (a.path < b.path ? -1 : 1));
  const times = Object.fromEntries(long.map(({ path, seconds }) => [path, Math.round(seconds)]));
  writeFileSync(TIMES, `${JSON.stringify(times, null, 2)}\n`);
}

function read(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    // Without a report jest did not reach any test, and has printed why.
    return { counts: { passed: 0, failed: 1, skipped: 0 }, files: [] };
  }
}

/** The command that runs one test, or one file, alone. */
export function again(path, title) {
  if (title === undefined) return `npm test -- ${path}`;
  // jest reads the title as a regular expression, and the shell must read it as one word.
  const pattern = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "'\\''");
  return `npm test -- ${path} -t '^${pattern}$'`;
}
