/**
 * `npm test`: every check of a change, and the tests to run before a pull request.
 * `npm test -- PATH`: the tests there, of both commands. Arguments of jest that choose tests work, such as `-t`.
 * `npm test -- --record-times`: all tests of both commands. Records how long each file took, for the order of later
 * runs.
 */
import { bootstrap } from './lib/bootstrap.mjs';
import { runChecks } from './lib/checks.mjs';
import { pathWithoutTest, recordTimes, runJest, selections } from './lib/jest.mjs';
import { closing } from './lib/parts.mjs';
import { missingTools } from './lib/tools.mjs';

const args = process.argv.slice(2);
const isRecording = args[0] === '--record-times' && args.length === 1;

await bootstrap();
if (isRecording) {
  const result = await runJest([], { missingTools: (await missingTools()).map(({ name }) => name) });
  if (result.isPassed) recordTimes(result.files);
  process.exitCode = closing([result]);
} else if (args.length > 0) {
  process.exitCode = await runSome();
} else {
  process.exitCode = closing([...(await runChecks()), await runJest(selections.change)]);
}

/** Runs what a person names. A path or a title that matches no test is an error: a typing mistake must not look green. */
async function runSome() {
  const wrong = await pathWithoutTest(args);
  if (wrong !== undefined) {
    process.stderr.write(
      `No test file matches ${wrong}. Name a file or a folder that has tests, for example: npm test -- libs/inbox\n`,
    );
    return 1;
  }
  const result = await runJest(args);
  if (result.isPassed && result.counts.passed === 0) {
    process.stderr.write(`No test ran: none has a title that matches ${args.join(' ')}.\n`);
    return closing([{ ...result, isPassed: false }]);
  }
  return closing([result]);
}
