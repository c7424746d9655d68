/** The parts of a test command, their results, and the end of its output. */
import { CommandFailed } from './run.mjs';
import { duration, step } from './steps.mjs';

/**
 * The result of a part.
 *
 * @typedef {object} PartResult
 * @property {string} name for the table
 * @property {boolean} isPassed
 * @property {number} ms
 * @property {{ passed: number, failed: number, skipped: number }} [counts] of its tests. Without counts, a failed
 * part counts as one failed test and a passed part as none
 * @property {{ title: string, again: string }[]} failures each with the command to run next: this test alone, if it is one
 */

/** Runs a part that prints nothing unless it fails. Returns a PartResult. `again` is the command that runs it alone. */
export async function part({ name, again }, work) {
  const startedAt = performance.now();
  const failures = [];
  try {
    await step(name, work);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    process.stdout.write(`${error.output}\n${error.message}\n`);
    failures.push({ title: name, again });
  }
  return { name, isPassed: failures.length === 0, ms: performance.now() - startedAt, failures };
}

/** Runs a part whose command writes to the terminal itself. Returns a PartResult. */
export async function shownPart({ name, again }, work) {
  const startedAt = performance.now();
  const failures = [];
  process.stdout.write(`\n… ${name}\n`);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    process.stdout.write(`${error.message}\n`);
    failures.push({ title: name, again });
  }
  return { name, isPassed: failures.length === 0, ms: performance.now() - startedAt, failures };
}

/**
 * Prints the table of the parts, each failure with the command to run next, the skipped tests with their
 * reasons, and the closing line. Returns the exit code.
 *
 * @param {PartResult[]} results
 * @param {{ title: string, purpose: string, install: string }[]} missing tools whose tests were skipped
 */
export function closing(results, missing = []) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { isPassed, counts } of results) {
    total.passed += counts?.passed ?? 0;
    // A failed run must never look like a passed one, whatever the counts say.
    total.failed += Math.max(counts?.failed ?? 0, isPassed ? 0 : 1);
    total.skipped += counts?.skipped ?? 0;
  }
  const width = Math.max(...results.map(({ name }) => name.length)) + 2;
  const rows = results.map(
    ({ name, isPassed, ms }) => `  ${isPassed ? '✓' : '✗'} ${name.padEnd(width)}${duration(ms)}`,
  );
  const all = duration(results.reduce((sum, { ms }) => sum + ms, 0));
  const lines = ['', ...rows, `    ${'all'.padEnd(width)}${all}`, ''];
  for (const { title, purpose, install } of missing) {
    lines.push(`Skipped, because ${title} is missing: ${purpose}. To run them: ${install}`);
  }
  const failures = results.flatMap((result) => result.failures);
  if (failures.length > 0) lines.push('Failed, each with what to run next:');
  for (const { title, again } of failures) lines.push(`  ✗ ${title}`, `      ${again}`);
  if (missing.length + failures.length > 0) lines.push('');
  const { passed, failed, skipped } = total;
  lines.push(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.stdout.write(`${lines.join('\n')}\n`);
  return failed === 0 ? 0 : 1;
}
