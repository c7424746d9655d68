/** The arguments are wrong; the message says how they are right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const EX_USAGE = 64;

/**
 * Runs a command of this package; the number it comes to is the exit code. `--help` prints the usage, wrong arguments
 * print it too and exit with 64, any other error exits with 1.
 */
export function runCommand(usage: string, work: (args: readonly string[]) => Promise<number>): void {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  // A handle that leaks keeps the process. One that ends by itself takes its environment apart, which after thousands
  // of child processes was once seen to go on for ever.
  process.once('beforeExit', () => process.exit());
  work(args).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      if (error instanceof UsageError) {
        process.stderr.write(`${error.message}\n\n${usage}`);
        process.exitCode = EX_USAGE;
        return;
      }
      process.stderr.write(
        `failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
      process.exitCode = 1;
    },
  );
}

/** @throws UsageError when `read`, which parses arguments, refuses them */
export function parsed<Values>(read: () => Values): Values {
  try {
    return read();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const MAX_INTEGER = 0x7fff_ffff;

/** @throws UsageError when the text of option `--name` is no integer from `min` on */
export function integer(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < min || value > MAX_INTEGER)
    throw new UsageError(`--${name} must be an integer of ${min} or more`);
  return value;
}
