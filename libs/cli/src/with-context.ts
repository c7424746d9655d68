import type { Context } from './context.ts';
import type { ExitCode } from './exit.ts';

/** A command's work: its arguments, its options, and the code it comes to. */
type Work<Args extends readonly (string | readonly string[] | undefined)[], Options> = (
  context: Context,
  args: Args,
  options: Options,
) => Promise<ExitCode>;

/** Makes a commander action of a command's work. */
export type WithContext = <
  Args extends readonly (string | readonly string[] | undefined)[],
  Options = object,
>(
  work: Work<Args, Options>,
) => (...given: unknown[]) => Promise<void>;
