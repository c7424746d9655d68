/** The arguments are wrong. The message says what is right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const EX_USAGE = 64;

/**
 * Runs a command of this package and exits with its result. `--help` prints the usage. Wrong arguments print it too
 * and exit with 64. Any other error exits with 1.
 */
export function runCommand(usage: string, work: (args: readonly string[]) => Promise<number>): void {
  const args = process.argv.slice(2);
  if (args.includes('--help')) {
    process.stdout.write(usage);
    return;
  }
  // Without this, a process that ends by itself also tears down its environment. After thousands of child processes
  // that hung once.
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

/** @throws UsageError when the text of option `--name` is not an integer of at least `min` */
export function integer(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!/^\d{1,10}$/.test(text) || value < min || value > MAX_INTEGER)
    throw new UsageError(`--${name} must be an integer of ${min} or more`);
  return value;
}
