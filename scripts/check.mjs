/** `pnpm check`: the checks of `npm test` without the tests. */
import { bootstrap } from './lib/bootstrap.mjs';
import { runChecks } from './lib/checks.mjs';
import { closing } from './lib/parts.mjs';

await bootstrap();
process.exitCode = closing(await runChecks());
