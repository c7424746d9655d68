/** Where something went wrong that the client lives on with, or stops for. */
export type ErrorSource = 'handler' | 'listener' | 'store' | 'token' | 'gateway' | 'api';

/** What the `error` event tells: where it happened, what to do in `message`, and in `cause` what was thrown. */
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

/** Says it to nobody in particular: an error that no listener takes must not go unseen. */
export function reportUnheard(error: ClientError): void {
  // oxlint-disable-next-line no-console -- there is no other place left to say it
  console.error(error);
}

/** What was thrown, in words. */
export function inWords(thrown: unknown): string {
  // Not by its class: another realm (a frame, a test) has an Error of its own.
  const message = (thrown as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : String(thrown);
}
