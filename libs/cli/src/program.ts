import { Command, CommanderError } from 'commander';
import { addBench } from './commands/bench.ts';
import { addConfig } from './commands/config.ts';
import { addDelivery } from './commands/delivery.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addInbox } from './commands/inbox.ts';
import { addListen } from './commands/listen.ts';
import { addPresence } from './commands/presence.ts';
import { addReceipts } from './commands/receipts.ts';
import { addSend } from './commands/send.ts';
import { addToken } from './commands/token.ts';
import type { Context } from './context.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { WithContext } from './with-context.ts';

/** The options of every command. */
export interface CommonOptions {
  json?: boolean;
  settings?: string;
  api?: string;
  gateway?: string;
}

/** All commands. `openContext` creates their context, and `onDone` receives their exit codes. */
export function createProgram(
  openContext: (options: CommonOptions) => Context,
  onDone: (code: ExitCode) => void,
): Command {
  const program = new Command('posthorn')
    .description('Create tokens, send and receive messages, and check a deployment.')
    .option('--json', 'print results as lines of JSON')
    .option(
      '--settings <file>',
      'read settings that are not in the environment from this file (default: .posthorn/dev.env of npm start)',
    )
    .option('--api <url>', 'address of send-api (default: POSTHORN_API, or http://127.0.0.1:3000)')
    .option('--gateway <url>', 'address of ws-gateway (default: POSTHORN_GATEWAY, or ws://127.0.0.1:3001)')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();

  const withContext: WithContext =
    (work) =>
    async (...given) => {
      // commander passes the arguments, then the options, then the command.
      const command = given.pop() as Command;
      const options = given.pop();
      const context = openContext(command.optsWithGlobals<CommonOptions>());
      type Work = Parameters<typeof work>;
      onDone(await work(context, given as unknown as Work[1], options as Work[2]));
    };
  for (const add of [
    addToken,
    addSend,
    addListen,
    addInbox,
    addReceipts,
    addDelivery,
    addPresence,
    addConfig,
    addDoctor,
    addDemo,
    addBench,
  ]) {
    add(program, withContext);
  }
  for (const command of program.commands) command.exitOverride().configureHelp({ showGlobalOptions: true });
  return program;
}

/** The exit code for what commander threw: 0 for requested help, 64 for wrong arguments. */
export function exitCodeOf(error: CommanderError): ExitCode {
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
