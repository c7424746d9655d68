import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { signToken } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { integer } from '../options.ts';
import type { WithContext } from '../with-context.ts';

interface DemoCommandOptions {
  port: string;
  host: string;
  page?: string;
}

const MAX_PORT = 65_535;
/** Where the demo page is in a build of the repository. */
const PAGE = join(import.meta.dirname, '..', '..', '..', '..', 'demo', 'dist');

/** `posthorn demo`. */
export function addDemo(program: Command, withContext: WithContext): void {
  program
    .command('demo')
    .description(
      'serve a chat page for two people, with tokens for alice and bob (needs AUTH_JWT_SECRET; ALLOWED_ORIGINS of the services must contain the page)',
    )
    .option('--port <port>', 'port of the page: http://127.0.0.1:PORT', '3002')
    .option(
      '--host <address>',
      'listen on this address; anybody who can reach it can act as alice or bob',
      '127.0.0.1',
    )
    .option('--page <folder>', 'folder of the built page (default: demo/dist of this repository)')
    .action(
      withContext<[], DemoCommandOptions>(async (context, _args, { port, host, page = PAGE }) => {
        const { env, out, stop, api, gateway } = context;
        const number = integer('--port', port, 1, MAX_PORT);
        if (!existsSync(join(page, 'index.html')))
          throw new CliError(
            EXIT.usage,
            `there is no page in ${page}: build it (pnpm build), or name its folder with --page`,
          );
        const token = (user: string): Promise<string> => signToken(env, { user });
        await token('alice'); // fails at once if the secret is wrong
        const { startDemoServer } = await import('@posthorn/demo-server');
        const demo = await startDemoServer({
          folder: page,
          host,
          port: number,
          api,
          gateways: [gateway],
          token,
        }).catch((cause: Error) => {
          throw new CliError(EXIT.failed, `the page cannot be served: ${cause.message}`, { cause });
        });
        try {
          await out.result({ url: demo.url }, () => demo.url);
          await new Promise<void>((resolve) => {
            if (stop.aborted) resolve();
            else stop.addEventListener('abort', () => resolve());
          });
        } finally {
          await demo.stop();
        }
        return EXIT.interrupted;
      }),
    );
}
