/**
 * `npm test`: every check of a change, and the tests to run before a pull request.
 * `npm test -- PATH`: the tests there, of both commands. All arguments of jest work.
 * `npm test -- --record-times`: all tests of both commands. Records how long each file took, for the order of later
 * runs.
 */
import { bootstrap } from './lib/bootstrap.mjs';
import { runChecks } from './lib/checks.mjs';
import { hasTests, recordTimes, runJest, selections } from './lib/jest.mjs';
import { closing } from './lib/parts.mjs';

const args = process.argv.slice(2);
const isRecording = args[0] === '--record-times' && args.length === 1;

await bootstrap();
if (isRecording) {
  const result = await runJest([]);
  recordTimes(result.files);
  process.exitCode = closing([result]);
} else if (args.length > 0 && !(await hasTests(args))) {
  process.stderr.write(
    `No test file matches ${args.join(' ')}. Name a file or a folder that has tests, for example: npm test -- libs/inbox\n`,
  );
  process.exitCode = 1;
} else if (args.length > 0) {
  const result = await runJest(args);
  process.exitCode = closing([result]);
  if (result.isPassed && result.counts.passed === 0) {
    process.stderr.write(`No test ran: none has a title that matches ${args.join(' ')}.\n`);
    process.exitCode = 1;
  }
} else {
  process.exitCode = closing([...(await runChecks()), await runJest(selections.change)]);
}
