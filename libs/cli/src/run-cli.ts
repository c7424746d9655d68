import type { Readable, Writable } from 'node:stream';
import { ClientError, RefusedError } from '@posthorn/client';
import { CommanderError } from 'commander';
import { Environment } from './environment.ts';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { Output } from './output.ts';
import { createProgram, exitCodeOf } from './program.ts';

/** Everything outside of a command: streams, environment, folder, signals. */
export interface CliWorld {
  env: NodeJS.ProcessEnv;
  /** The current folder. */
  folder: string;
  input: Readable;
  out: Writable;
  err: Writable;
  stop: AbortSignal;
}

const DEFAULT_API = 'http://127.0.0.1:3000';
const DEFAULT_GATEWAY = 'ws://127.0.0.1:3001';

/** Runs one command and returns its exit code. Errors go to stderr and say what to do. */
export async function runCli(args: readonly string[], world: CliWorld): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = createProgram(
    ({ json = false, settings, api, gateway }) => {
      const env = Environment.read(world.env, world.folder, settings);
      const named = { api: api ?? env.get('POSTHORN_API'), gateway: gateway ?? env.get('POSTHORN_GATEWAY') };
      return {
        env,
        out: new Output(world.out, world.err, json),
        input: world.input,
        stop: world.stop,
        api: named.api ?? DEFAULT_API,
        gateway: named.gateway ?? DEFAULT_GATEWAY,
        isNamed: { api: named.api !== undefined, gateway: named.gateway !== undefined },
      };
    },
    (done) => {
      code = done;
    },
  );
  for (const command of [program, ...program.commands]) {
    command.configureOutput({
      writeOut: (text) => world.out.write(text),
      writeErr: (text) => world.err.write(text),
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return exitCodeOf(error);
    if (world.stop.aborted) return EXIT.interrupted;
    const { code: failed, words } = failureOf(error);
    world.err.write(`${words}\n`);
    return failed;
  }
}

function failureOf(error: unknown): { code: ExitCode; words: string } {
  if (error instanceof CliError) return { code: error.code, words: error.message };
  if (error instanceof RefusedError) {
    const { status } = error.problem;
    return {
      code: status === 401 || status === 403 ? EXIT.noPermission : EXIT.failed,
      words: `refused: ${error.message}`,
    };
  }
  if (error instanceof ClientError) return { code: EXIT.unavailable, words: error.message };
  // The client itself refused its input.
  if (error instanceof TypeError) return { code: EXIT.usage, words: error.message };
  return {
    code: EXIT.failed,
    words: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}
