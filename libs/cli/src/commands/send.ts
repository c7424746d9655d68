import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ClientError, type HttpDraft, RefusedError } from '@posthorn/client';
import { isIdempotencyKey, type JsonObject } from '@posthorn/protocol';
import type { Command } from 'commander';
import { type Context, httpFor } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { jsonObject, names } from '../options.ts';
import type { WithContext } from '../with-context.ts';

interface SendOptions {
  as?: string;
  from?: string;
  data?: string;
  file?: string;
  key?: string;
}

const MAX_KEY_PREFIX_CHARS = 200;

/** `posthorn send TO [TEXT]`. */
export function addSend(program: Command, withContext: WithContext): void {
  program
    .command('send')
    .description('send a message; without a text, send each line of stdin as a message, in order')
    .argument('<to>', 'a user, or several users separated by commas')
    .argument('[text]', 'the text to send')
    .option('--as <user>', 'the sender (signs a token with AUTH_JWT_SECRET)')
    .option('--from <user>', 'send in the name of this user; the token needs the scope send:as')
    .option('--data <json>', 'a JSON object to send with it')
    .option('--file <file>', 'read the lines from this file instead of stdin')
    .option(
      '--key <key>',
      'idempotency key: for 24 h, repeating the command sends only what has not been sent',
    )
    .action(
      withContext<[string, string | undefined], SendOptions>(async (context, [to, text], options) => {
        if (text !== undefined && options.file !== undefined)
          throw new CliError(EXIT.usage, 'give a text or a --file, not both');
        const key = options.key ?? `cli-${crypto.randomUUID()}`;
        if (!isIdempotencyKey(key) || key.length > MAX_KEY_PREFIX_CHARS)
          throw new CliError(
            EXIT.usage,
            `--key must be 1 to ${MAX_KEY_PREFIX_CHARS} visible ASCII characters`,
          );
        const draft: HttpDraft = {
          to: names(to),
          ...(options.from === undefined ? {} : { from: options.from }),
          ...(options.data === undefined ? {} : { data: jsonObject('--data', options.data) as JsonObject }),
        };
        const client = httpFor(context, options.as, options.from === undefined ? undefined : 'send:as');
        const isOne = text !== undefined || (options.data !== undefined && options.file === undefined);
        if (!isOne)
          return await sendLines(
            context,
            (line, place) => client.send({ ...draft, text: line }, { key: `${key}-${place}` }),
            options,
            key,
          );
        const message = await client.send(text === undefined ? draft : { ...draft, text }, { key });
        await context.out.result(message, () => message.id);
        return EXIT.ok;
      }),
    );
}

/**
 * Sends lines one after another, in order: each waits until the line before is accepted. The key of each line is the
 * command's key plus the line's number, so that running the same command again is safe.
 */
async function sendLines(
  { out, input, stop }: Context,
  send: (line: string, place: number) => Promise<{ id: string }>,
  { file }: SendOptions,
  key: string,
): Promise<ExitCode> {
  const { SendProgress } = await import('../send-progress.ts');
  const progress = new SendProgress(out);
  let place = 0;
  try {
    for await (const line of linesOf(file === undefined ? input : createReadStream(file))) {
      place += 1;
      if (stop.aborted) break;
      if (line.trim() === '') {
        progress.skipped();
        continue;
      }
      const { id } = await send(line, place);
      progress.sent();
      if (out.isJson) await out.write(JSON.stringify({ line: place, id }));
    }
  } catch (error) {
    if (!stop.aborted) {
      progress.end();
      if (error instanceof RefusedError) {
        out.note(`line ${place} was refused, the lines before it were sent.`);
      } else if (error instanceof ClientError) {
        out.note(`line ${place} may not have been sent. To continue, run the same command with --key ${key}`);
      }
      throw error;
    }
  } finally {
    progress.end();
  }
  if (!stop.aborted) return EXIT.ok;
  out.note(`stopped at line ${place}. To continue, run the same command with --key ${key}`);
  return EXIT.interrupted;
}

/** @throws CliError if the input cannot be read */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  const lines = createInterface({ input, crlfDelay: Infinity });
  // A stream that fails does not end its lines by itself.
  let failure: Error | undefined;
  input.once('error', (error) => {
    failure = error;
    lines.close();
  });
  try {
    yield* lines;
  } catch (error) {
    failure ??= error instanceof Error ? error : new Error(String(error));
  } finally {
    lines.close();
  }
  if (failure !== undefined)
    throw new CliError(EXIT.io, `the lines cannot be read: ${failure.message}`, { cause: failure });
}
