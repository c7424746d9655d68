/** `pnpm verify [--no-tests]`: every check of a change, each with its time, and a table at the end. */
import { bootstrap } from './lib/bootstrap.mjs';
import { runChaos, runChecks, runGuard, runTests, table } from './lib/checks.mjs';

const args = process.argv.slice(2);
if (args.some((arg) => arg !== '--no-tests')) {
  process.stderr.write('usage: pnpm verify [--no-tests]\n');
  process.exit(64);
}
await bootstrap();
const results = await runChecks();
if (!args.includes('--no-tests')) results.push(await runTests([]), await runChaos(), await runGuard());
process.stdout.write(table(results));
const failed = results.filter(({ isPassed }) => !isPassed).map(({ name }) => name);
process.stdout.write(failed.length === 0 ? 'all is well\n' : `failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
