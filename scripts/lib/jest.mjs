/** Runs jest as a part of a test command. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, cleanEnv, root, run, tool } from './run.mjs';

/** Tests of whole systems end in this; `npm test` leaves them out, `npm run test:system` runs nothing else. */
const SYSTEM_TEST = '\\.system\\.test\\.ts$';

/** What jest is asked for: the tests of `npm test`, those of `npm run test:system`, or what a person names. */
export const selections = {
  change: ['--testPathIgnorePatterns', '/node_modules/', SYSTEM_TEST],
  system: [SYSTEM_TEST],
};

/** Names the file where the reporter leaves the counts and the failures of a run. */
export const REPORT_VARIABLE = 'POSTHORN_TEST_REPORT';
/** How many seconds each test file took when that was last kept. */
export const TIMES = join(root, 'scripts', 'test-times.json');

/** True if these arguments of jest name at least one test file. */
export async function hasTests(args) {
  try {
    const files = await run(tool('jest'), ['--listTests', '--passWithNoTests', ...args]);
    return files.trim() !== '';
  } catch (error) {
    // Not a path, but an argument that jest does not know: the run says it best.
    if (error instanceof CommandFailed) return true;
    throw error;
  }
}

/**
 * Runs jest with these arguments; returns a PartResult with `files`, each with its seconds.
 *
 * @param {string[]} args
 * @param {{ missingTools?: string[] }} options the names of tools whose tests are to be skipped
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
  return { name: 'tests', isPassed, ms: performance.now() - startedAt, counts, failures, files };
}

/** Keeps how long each test file took, so that the next run on any machine can start the longest first. */
export function recordTimes(files) {
  const long = files.filter(({ seconds }) => seconds >= 1).sort((a, b) => (a.path < b.path ? -1 : 1));
  const times = Object.fromEntries(long.map(({ path, seconds }) => [path, Math.round(seconds)]));
  writeFileSync(TIMES, `${JSON.stringify(times, null, 2)}\n`);
}

function read(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    // No report: jest did not get as far as a test, and has said why.
    return { counts: { passed: 0, failed: 1, skipped: 0 }, files: [] };
  }
}

/** The command that runs one test, or one file, alone. */
export function again(path, title) {
  if (title === undefined) return `npm test -- ${path}`;
  // jest takes the title for a regular expression, the shell for a word.
  const pattern = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "'\\''");
  return `npm test -- ${path} -t '${pattern}'`;
}
