import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, root, run } from './run.mjs';
import { duration, step } from './steps.mjs';

const tool = (name) => join(root, 'node_modules', '.bin', name);

const CHECKS = [
  ['format', [['biome', 'ci', '--colors=off', '.']]],
  ['lint', [['oxlint', '--type-aware', '--deny-warnings']]],
  [
    'types',
    [
      ['tsc', '-b'],
      ['tsc', '-p', 'tsconfig.test.json'],
    ],
  ],
  [
    'layering',
    [
      [
        'depcruise',
        'services',
        'libs',
        'e2e',
        'chaos',
        'bench',
        'conformance',
        '--config',
        '.dependency-cruiser.cjs',
      ],
    ],
  ],
  ['dead code', [['knip', '--no-progress']]],
];

/** Runs all checks but the tests, each to its end; returns how each went. */
export async function runChecks() {
  const results = [];
  for (const [name, commands] of CHECKS) {
    results.push(
      await check(name, async () => {
        for (const [command, ...args] of commands) await run(tool(command), args);
      }),
    );
  }
  return results;
}

/** Runs jest with these arguments; returns how it went and its counts. A suite that could not run counts as a failed test. */
export async function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-jest-'));
  const report = join(folder, 'report.json');
  const startedAt = performance.now();
  let isPassed = true;
  try {
    await run(tool('jest'), ['--json', `--outputFile=${report}`, ...args], { show: true });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    isPassed = false;
  }
  const counts = countsIn(report, isPassed);
  rmSync(folder, { recursive: true });
  return { name: 'tests', isPassed, time: duration(performance.now() - startedAt), counts };
}

/** Plays the short matrix of faults: after the tests, which it would disturb. */
export async function runChaos() {
  const startedAt = performance.now();
  let isPassed = true;
  try {
    await run(process.execPath, [join(root, 'chaos', 'dist', 'chaos.js'), '--seconds', '9'], { show: true });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    isPassed = false;
  }
  return { name: 'chaos', isPassed, time: duration(performance.now() - startedAt) };
}

/** Compares what a message costs with the floor: alone, since others would make its figures worthless. */
export async function runGuard() {
  const startedAt = performance.now();
  let isPassed = true;
  try {
    await run(process.execPath, [join(root, 'bench', 'dist', 'bench.js'), 'guard'], { show: true });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    isPassed = false;
  }
  return { name: 'cost', isPassed, time: duration(performance.now() - startedAt) };
}

/** The line that ends a run, alone on it. A failed check counts as a failed test: no failed run looks like a passed one. */
export function closingLine({ passed, failed, skipped }, results) {
  const failedChecks = results.filter(({ name, isPassed }) => name !== 'tests' && !isPassed).length;
  return `${passed} passed, ${failed + failedChecks} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** A line for each check. */
export function table(results) {
  const rows = results.map(
    ({ name, isPassed, time }) => `  ${isPassed ? '✓' : '✗'} ${name.padEnd(12)}${time}`,
  );
  return `\n${rows.join('\n')}\n\n`;
}

async function check(name, work) {
  const startedAt = performance.now();
  let isPassed = true;
  try {
    await step(name, work);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    process.stdout.write(`${error.output}\n${error.message}\n`);
    isPassed = false;
  }
  return { name, isPassed, time: duration(performance.now() - startedAt) };
}

function countsIn(report, isPassed) {
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    counts = {
      passed: result.numPassedTests,
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    // No report: jest did not get as far as a test.
  }
  return isPassed || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}
