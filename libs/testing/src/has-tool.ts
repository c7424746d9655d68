import type { TestToolName } from '@posthorn/stack';

/**
 * False if the test command looked for the tool and did not find it. Skip the tests that need it:
 * `(hasTool('haproxy') ? describe : describe.skip)(…)`.
 */
export function hasTool(tool: TestToolName): boolean {
  return !(process.env['POSTHORN_MISSING_TOOLS'] ?? '').split(',').includes(tool);
}
