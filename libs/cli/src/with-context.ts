import type { Context } from './context.ts';
import type { ExitCode } from './exit.ts';

/** The work of a command: it takes arguments and options, and returns the exit code. */
type Work<Args extends readonly (string | readonly string[] | undefined)[], Options> = (
  context: Context,
  args: Args,
  options: Options,
) => Promise<ExitCode>;

/** Turns a command's work into a commander action. */
export type WithContext = <
  Args extends readonly (string | readonly string[] | undefined)[],
  Options = object,
>(
  work: Work<Args, Options>,
) => (...given: unknown[]) => Promise<void>;
