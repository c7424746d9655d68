import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { again, REPORT_VARIABLE } from './jest.mjs';
import { root } from './run.mjs';
import { duration } from './steps.mjs';

const TICK_MS = 1_000;
/** Without a terminal, a file that takes longer than this is named, so that a log shows what runs. */
const LONG_MS = 30_000;
const NAME_WIDTH = 72;

/**
 * The output of a jest run: a line for each file with its time, how many are done, and the total time. A terminal
 * also shows what runs now. A failure is shown in full, with the command that runs the test alone. The results for
 * `runJest` go to a file.
 */
export default class ProgressReporter {
  #startedAt = Date.now();
  #done = 0;
  #total = 0;
  /** The start time of each running file, by its path. */
  #running = new Map();
  #named = new Set();
  #timer;
  #isTerminal = process.stdout.isTTY && !process.env.CI;

  onRunStart({ numTotalTestSuites }) {
    this.#total = numTotalTestSuites;
    process.stdout.write(`… tests: ${numTotalTestSuites} files\n`);
    const tick = this.#isTerminal ? () => this.#draw() : () => this.#nameLong();
    this.#timer = setInterval(tick, TICK_MS);
  }

  onTestFileStart({ path }) {
    this.#running.set(relative(root, path), Date.now());
  }

  onTestFileResult({ path }, result) {
    const { numFailingTests, testExecError, failureMessage, skipped, testResults } = result;
    const name = relative(root, path);
    const time = duration(Date.now() - (this.#running.get(name) ?? Date.now()));
    this.#running.delete(name);
    this.#done += 1;
    const isFailed = numFailingTests > 0 || (testExecError ?? null) !== null;
    const mark = isFailed ? '✗' : skipped ? '-' : '✓';
    this.#write(`  ${mark} ${`${name}  ${time}`.padEnd(NAME_WIDTH)}  ${this.#place()}`);
    if (!isFailed) return;
    for (const { message } of result.console ?? []) this.#write(message);
    this.#write(`\n${failureMessage ?? String(testExecError)}`);
    const failed = testResults.filter(({ status }) => status === 'failed');
    const commands = failed.length > 0 ? failed.map(({ fullName }) => again(name, fullName)) : [again(name)];
    for (const command of commands) this.#write(`    Run it alone: ${command}`);
    this.#write('');
  }

  onRunComplete(_contexts, results) {
    clearInterval(this.#timer);
    this.#clear();
    const report = process.env[REPORT_VARIABLE];
    if (report === undefined) return;
    const files = results.testResults.map(({ testFilePath, perfStats, testExecError, testResults }) => ({
      path: relative(root, testFilePath),
      seconds: (perfStats.end - perfStats.start) / 1_000,
      isBroken: (testExecError ?? null) !== null,
      failed: testResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    }));
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(report, JSON.stringify({ files, counts }));
  }

  #place() {
    return `${this.#done} of ${this.#total}, ${duration(Date.now() - this.#startedAt)}`;
  }

  #draw() {
    const names = [...this.#running.keys()].map((name) => name.split('/').at(-1)).join(', ');
    const line = `  ${this.#place()}: ${names}`;
    process.stdout.write(`\r\u001b[2K${line.slice(0, (process.stdout.columns ?? 80) - 1)}`);
  }

  #nameLong() {
    for (const [name, sinceMs] of this.#running) {
      if (this.#named.has(name) || Date.now() - sinceMs < LONG_MS) continue;
      this.#named.add(name);
      this.#write(`  … ${name} runs, ${this.#place()}`);
    }
  }

  #clear() {
    if (this.#isTerminal) process.stdout.write('\r\u001b[2K');
  }

  #write(line) {
    this.#clear();
    process.stdout.write(`${line}\n`);
  }
}
