import { join } from 'node:path';
import { guard } from './guard';
import { type BenchOptions, parseOptions, USAGE, UsageError } from './options';
import { faultsOf } from './report/findings';
import { textTable } from './report/table';
import { mergeResults, readResults, writePage, writeReport } from './report/write-report';
import { run } from './run';
import { scenarios } from './scenarios/catalogue';
import { systemNames } from './systems/start-system';
import { hasProc } from './world/process-tree';

const EX_USAGE = 64;
const ROOT = join(__dirname, '..', '..');

/** `pnpm bench`: see `USAGE`. Exits with 1 if a message of Posthorn is unaccounted for, or the guard fails. */
async function bench(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.isHelp) return print(USAGE);
  if (options.isList) return list();
  if (!hasProc) print('There is no /proc here, so CPU is not reported.\n');
  return options.command === 'guard' ? await guard(say) : await compare(options, args);
}

async function compare(options: BenchOptions, args: readonly string[]): Promise<number> {
  const [first, ...more] = options.from.map(readResults);
  const results =
    first === undefined
      ? await run(options, ['pnpm bench', ...args].join(' '), say)
      : mergeResults([first, ...more]);
  for (const scenario of scenarios) print(textTable(scenario, results.samples));
  print(`\nreport: ${writeReport(options.reportDir, results)}\n`);
  if (options.isForDocs) writePage(ROOT, results);
  const faults = results.samples.filter(({ system }) => system === 'posthorn').flatMap(faultsOf);
  return faults.length === 0 ? 0 : 1;
}

function list(): number {
  print('Scenarios\n');
  for (const { name, what, group } of scenarios)
    print(`  ${name.padEnd(16)}${what}${group === 'curve' ? ' (curve)' : ''}\n`);
  print(`Systems\n  ${systemNames.join('\n  ')}\n`);
  return 0;
}

const startedAt = performance.now();

function say(line: string): void {
  print(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(5)} s  ${line}\n`);
}

function print(text: string): 0 {
  process.stdout.write(text);
  return 0;
}

bench(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${USAGE}`);
      process.exitCode = EX_USAGE;
      return;
    }
    process.stderr.write(
      `the bench failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
