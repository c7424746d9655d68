import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { costsOf } from './capacity/costs';
import { readMeasured } from './capacity/measured';
import { type Need, needOf } from './capacity/model';
import { parseOptions, USAGE } from './capacity/options';
import { pictureOf, tablesOf } from './capacity/report';
import { UsageError } from './options';

const EX_USAGE = 64;
const DOCS = join(__dirname, '..', '..', 'docs');
const BEGIN = '<!-- estimated: written by pnpm simulate --docs -->';
const END = '<!-- end of the estimate -->';
const PICTURE = 'performance/capacity.svg';

/** `pnpm simulate`: see `USAGE`. */
function simulate(args: readonly string[]): void {
  const options = parseOptions(args);
  if (options.isHelp) {
    process.stdout.write(USAGE);
    return;
  }
  const costs = costsOf(readMeasured(readFileSync(join(DOCS, 'PERFORMANCE.md'), 'utf8')));
  const needFor = (users: number): Need => needOf(users, costs, options.habits, options.limits);
  const { needs, fillings } = tablesOf(options, needFor);
  process.stdout.write(`${text(needs)}\n\n${text(fillings)}\n`);
  if (!options.isForDocs) return;
  writeFileSync(join(DOCS, PICTURE), pictureOf(options, needFor));
  const page = readFileSync(join(DOCS, 'SCALING.md'), 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end === -1) throw new Error(`docs/SCALING.md lacks its marks: ${BEGIN} and ${END}`);
  const parts = [markdown(needs), markdown(fillings), `![How many users fill each resource](${PICTURE})`];
  writeFileSync(
    join(DOCS, 'SCALING.md'),
    `${page.slice(0, begin + BEGIN.length)}\n\n${parts.join('\n\n')}\n\n${page.slice(end)}`,
  );
}

function text(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function markdown([head = [], ...rows]: readonly string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

try {
  simulate(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\n${isUsage ? `\n${USAGE}` : ''}`,
  );
  process.exitCode = isUsage ? EX_USAGE : 1;
}
