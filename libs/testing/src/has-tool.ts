import type { TestToolName } from '@posthorn/stack';

/**
 * False where the test command has looked for the tool and not found it: the tests that need it are to be skipped then,
 * `(hasTool('haproxy') ? describe : describe.skip)(…)`.
 */
export function hasTool(tool: TestToolName): boolean {
  return !(process.env['POSTHORN_MISSING_TOOLS'] ?? '').split(',').includes(tool);
}
