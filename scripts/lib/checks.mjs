/** The checks that are not tests. Each has a name and commands that must succeed. */

import { part } from './parts.mjs';
import { root, run, tool } from './run.mjs';

const CHECKS = [
  { name: 'format', commands: [['biome', 'ci', '--colors=off', '.']], again: 'pnpm format' },
  { name: 'lint', commands: [['oxlint', '--type-aware', '--deny-warnings']], again: 'pnpm lint' },
  {
    name: 'types',
    commands: [
      ['tsc', '-b'],
      ['tsc', '-p', 'tsconfig.test.json'],
    ],
    again: 'pnpm typecheck',
  },
  {
    name: 'layering',
    commands: [
      [
        'depcruise',
        ...'services libs e2e chaos bench conformance --config .dependency-cruiser.cjs'.split(' '),
      ],
    ],
    again: 'pnpm layers',
  },
  { name: 'dead code', commands: [['knip', '--no-progress']], again: 'pnpm unused' },
];

/** Runs every check, even after a failure. Returns the results. */
export async function runChecks() {
  const results = [];
  for (const { name, commands, again } of CHECKS) {
    results.push(
      await part({ name, again }, async () => {
        for (const [command, ...args] of commands) await run(tool(command), args, { cwd: root });
      }),
    );
  }
  return results;
}
