/** `npm test`: every check and every test. `npm test -- ARGS` runs jest alone, with these arguments. */
import { bootstrap } from './lib/bootstrap.mjs';
import { closingLine, runChaos, runChecks, runGuard, runTests, table } from './lib/checks.mjs';

const args = process.argv.slice(2);
await bootstrap();
const results = args.length === 0 ? await runChecks() : [];
const tests = await runTests(args);
results.push(tests);
if (args.length === 0) results.push(await runChaos(), await runGuard());
if (args.length === 0) process.stdout.write(table(results));
process.stdout.write(`${closingLine(tests.counts, results)}\n`);
process.exitCode = results.every(({ isPassed }) => isPassed) ? 0 : 1;
