/** The checks that are not tests. Each has a name and commands that must succeed. */

import { part } from './parts.mjs';
import { root, run, tool } from './run.mjs';

const CHECKS = [
  { name: 'format', commands: [['biome', 'ci', '--colors=off', '.']], again: 'npm run format' },
  { name: 'lint', commands: [['oxlint', '--type-aware', '--deny-warnings']], again: 'npm run lint' },
  {
    name: 'types',
    // The sources were built before.
    commands: [['tsc', '-p', 'tsconfig.test.json']],
    again: 'npm run typecheck',
  },
  {
    name: 'layering',
    commands: [
      [
        'depcruise',
        ...'services libs e2e chaos bench conformance --config .dependency-cruiser.cjs'.split(' '),
      ],
    ],
    again: 'npm run layers',
  },
  { name: 'dead code', commands: [['knip', '--no-progress']], again: 'npm run unused' },
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
