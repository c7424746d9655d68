/** How a command may end. The codes follow sysexits.h and are the same for every command. */
export const exits = {
  ok: { code: 0, meaning: 'it is done' },
  failed: {
    code: 1,
    meaning: 'the server refused it, a check of `doctor` failed, or messages of `bench` did not arrive',
  },
  usage: { code: 64, meaning: 'the arguments are wrong' },
  unavailable: { code: 69, meaning: 'a server is unreachable, or its answer cannot be used' },
  io: { code: 74, meaning: 'a file, or the output, cannot be read or written' },
  noPermission: { code: 77, meaning: 'the token is not valid, or does not allow this' },
  config: { code: 78, meaning: 'a setting is missing or wrong' },
  interrupted: { code: 130, meaning: 'stopped cleanly by Ctrl-C or SIGTERM' },
} as const;

export type ExitCode = (typeof exits)[keyof typeof exits]['code'];

/** The codes by name. */
export const EXIT = Object.fromEntries(Object.entries(exits).map(([name, { code }]) => [name, code])) as {
  readonly [Name in keyof typeof exits]: (typeof exits)[Name]['code'];
};

/** Ends a command. The message says what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly code: ExitCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
