import type { Command } from 'commander';
import type { Finding } from '../doctor/finding.ts';
import { EXIT } from '../exit.ts';
import { columns } from '../output.ts';
import type { WithContext } from '../with-context.ts';

const MARKS: Readonly<Record<Finding['state'], string>> = { ok: 'ok', warning: 'WARN', fault: 'FAULT' };

/** `posthorn doctor`. */
export function addDoctor(program: Command, withContext: WithContext): void {
  program
    .command('doctor')
    .description('check settings, stores, clocks, keys and limits, and say how to fix what is wrong')
    .action(
      withContext<[]>(async (context) => {
        const { examine } = await import('../doctor/examine.ts');
        const findings = await examine(context);
        await context.out.result({ findings }, () => inWords(findings));
        return findings.some(({ state }) => state === 'fault') ? EXIT.failed : EXIT.ok;
      }),
    );
}

function inWords(findings: readonly Finding[]): string {
  const table = columns(findings.map(({ check, state, detail }) => [MARKS[state], check, detail])).split(
    '\n',
  );
  const lines = findings.flatMap(({ remedy }, index) => [
    table[index] ?? '',
    ...(remedy === undefined ? [] : [`       → ${remedy}`]),
  ]);
  const faults = findings.filter(({ state }) => state === 'fault').length;
  const warnings = findings.filter(({ state }) => state === 'warning').length;
  return [...lines, '', `${faults} fault(s), ${warnings} warning(s)`].join('\n');
}
