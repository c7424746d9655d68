import { ClientError, connect, type Delivery, httpClient, type Status } from '@posthorn/client';
import { DEFAULT_DEVICE } from '@posthorn/protocol';
import type { Command } from 'commander';
import { tokensOf } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { MessageFile } from '../message-file.ts';
import { deliveryLine, skippedLine } from '../message-line.ts';
import { integer } from '../options.ts';
import type { WithContext } from '../with-context.ts';

interface ListenOptions {
  as?: string;
  device: string;
  output?: string;
  count?: string;
  untilCaughtUp?: boolean;
}

/** `posthorn listen`. */
export function addListen(program: Command, withContext: WithContext): void {
  program
    .command('listen')
    .description('print messages as they come, and acknowledge each after printing it; reconnects by itself')
    .option('--as <user>', 'the user (signs a token with AUTH_JWT_SECRET)')
    .option('--device <device>', 'the device of the user; each device has its own cursor', DEFAULT_DEVICE)
    .option(
      '--output <file>',
      'append to this file as JSON, and continue after its last line: each message once, even after kill -9',
    )
    .option('--count <count>', 'end after this many messages')
    .option('--until-caught-up', 'end when all messages that waited have arrived')
    .action(
      withContext<[], ListenOptions>(async ({ env, out, stop, api, gateway }, _args, options) => {
        const { device, output, untilCaughtUp } = options;
        let left =
          options.count === undefined
            ? undefined
            : integer('--count', options.count, 1, Number.MAX_SAFE_INTEGER);
        const file = output === undefined ? undefined : MessageFile.open(output);
        const token = tokensOf(env, options.as);
        await checkToken(api, token);
        const { WebSocket } = await import('ws');
        const client = connect({
          url: gateway,
          api,
          device,
          WebSocket,
          token,
          after: file?.cursor,
        });
        try {
          return await new Promise<ExitCode>((resolve, reject) => {
            stop.addEventListener('abort', () => resolve(EXIT.interrupted));
            client.on('error', (error) => out.note(error.message));
            client.on('reset', ({ seq }) =>
              out.note(`the inbox was restored from a backup and continues after ${seq}`),
            );
            client.on('status', (status) => {
              out.note(wordsOf(status));
              if (status.state === 'stopped') reject(stoppedError(status));
            });
            client.on('skipped', (range) => out.note(skippedLine(range)));
            if (untilCaughtUp) client.on('caughtUp', () => resolve(EXIT.ok));
            const stopHandling = client.on('message', async (delivery: Delivery) => {
              if (file !== undefined) file.append(delivery);
              else
                await out
                  .result(delivery, () => deliveryLine(delivery))
                  .catch((error: unknown) => {
                    reject(error);
                    throw error;
                  });
              if (left !== undefined) left -= 1;
              if (left !== 0) return;
              // This message is handled. The next one waits for a handler and comes again in a later run.
              stopHandling();
              resolve(EXIT.ok);
            });
          });
        } finally {
          await client.close();
          file?.close();
        }
      }),
    );
}

function wordsOf(status: Status): string {
  if (status.state === 'offline')
    return `offline: ${status.why}; next attempt in ${Math.max(0, Math.round((status.retryAtMs - Date.now()) / 1_000))} s`;
  return status.state === 'stopped' ? `stopped: ${status.why}` : status.state;
}

function stoppedError({ code, why }: Extract<Status, { state: 'stopped' }>): CliError {
  return new CliError(EXIT.failed, `the gateway closed with ${code}: ${why}`);
}

/**
 * A client retries for ever, because its application may get another token. This command has only one.
 * @throws RefusedError if the token is bad. If it cannot be checked now, the connection will show it.
 */
async function checkToken(api: string, token: () => Promise<string>): Promise<void> {
  const client = httpClient({ api, token, patienceMs: 0 });
  try {
    await client.inbox({ limit: 1 });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
  }
}
