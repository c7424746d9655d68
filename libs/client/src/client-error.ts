/** Where an error happened that the client reports: it continues, or stops. */
export type ErrorSource = 'handler' | 'listener' | 'store' | 'token' | 'gateway' | 'api';

/**
 * What the `error` event reports: `source` says where it happened, `message` what to do, and `cause` what was thrown.
 */
export class ClientError extends Error {
  override readonly name = 'ClientError';

  constructor(
    readonly source: ErrorSource,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Logs an error that has no listener, so that it does not go unseen. */
export function reportUnheard(error: ClientError): void {
  // oxlint-disable-next-line no-console -- there is no other place left to say it
  console.error(error);
}

/** The message of a thrown value. */
export function inWords(thrown: unknown): string {
  // Not `instanceof Error`: a frame or a test has an Error class of its own.
  const message = (thrown as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : String(thrown);
}
