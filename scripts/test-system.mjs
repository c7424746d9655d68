/**
 * `npm run test:system`: everything that `npm test` leaves out. First the system tests, some with tools that a
 * machine may lack. Then the short matrix of faults and the comparison of costs, each alone, because other work would
 * disturb them.
 */
import { bootstrap } from './lib/bootstrap.mjs';
import { runJest, selections } from './lib/jest.mjs';
import { closing, shownPart } from './lib/parts.mjs';
import { root, run } from './lib/run.mjs';
import { missingTools } from './lib/tools.mjs';

const EX_USAGE = 64;

if (process.argv.length > 2) {
  process.stderr.write('usage: npm run test:system. One test alone: npm test -- PATH\n');
  process.exit(EX_USAGE);
}
await bootstrap();
const missing = await missingTools();
const results = [await runJest(selections.system, { missingTools: missing.map(({ name }) => name) })];
for (const { name, command } of [
  { name: 'faults', command: 'chaos/dist/chaos.js --seconds 9' },
  { name: 'cost', command: 'bench/dist/bench.js guard' },
]) {
  const work = () => run(process.execPath, command.split(' '), { cwd: root, show: true });
  results.push(await shownPart({ name, again: `node ${command}` }, work));
}
// With REQUIRE_TOOLS a machine promises every tool, so each missing one counts as a failure.
if (process.env.REQUIRE_TOOLS === 'true') {
  for (const { title, install } of missing) {
    results.push({
      name: title,
      isPassed: false,
      ms: 0,
      failures: [{ title: `${title} is missing`, again: install }],
    });
  }
}
process.exitCode = closing(results, missing);
