/** Alphabets and lengths of everything that a caller names (PROTOCOL §3.1). */

const USER_ID = /^[A-Za-z0-9._:@-]{1,128}$/;
const DEVICE_ID = /^[A-Za-z0-9._:@-]{1,64}$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What a user id must look like, for error messages. */
export const USER_ID_RULE = '1 to 128 characters out of A-Z a-z 0-9 . _ : @ -';
/** What a device name must look like, for error messages. */
export const DEVICE_ID_RULE = '1 to 64 characters out of A-Z a-z 0-9 . _ : @ -';

/** The device of a connection that names none. */
export const DEFAULT_DEVICE = 'default';

/** True for a user id. JavaScript's `$` matches at the very end only, so no newline slips through. */
export function isUserId(value: unknown): value is string {
  return typeof value === 'string' && USER_ID.test(value);
}

/** True for a device name. */
export function isDeviceId(value: unknown): value is string {
  return typeof value === 'string' && DEVICE_ID.test(value);
}

/** True for an Idempotency-Key: 1 to 255 visible ASCII characters. */
export function isIdempotencyKey(value: unknown): value is string {
  return typeof value === 'string' && IDEMPOTENCY_KEY.test(value);
}

/** True for a message id: any UUID in its text form. */
export function isMessageId(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}
