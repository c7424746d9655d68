/** The tools that only some system tests need. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './run.mjs';
import { step } from './steps.mjs';

const require = createRequire(import.meta.url);

/** Looks for each tool and fetches it if the distribution has it. Prints and returns those that are missing. */
export async function missingTools() {
  const { testTools } = require(join(root, 'libs/stack/dist'));
  const missing = [];
  for (const tool of testTools) {
    try {
      await step(tool.title, () => tool.find());
    } catch (error) {
      process.stdout.write(`  ${error.message}\n  Its tests are skipped: ${tool.purpose}.\n`);
      missing.push(tool);
    }
  }
  return missing;
}
