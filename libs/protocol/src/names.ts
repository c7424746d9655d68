/** Alphabets and lengths of the names that callers choose (PROTOCOL §3.1). */

const USER_ID = /^[A-Za-z0-9._:@-]{1,128}$/;
const DEVICE_ID = /^[A-Za-z0-9._:@-]{1,64}$/;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The rule for user ids, for error messages. */
export const USER_ID_RULE = '1 to 128 characters out of A-Z a-z 0-9 . _ : @ -';
/** The rule for device names, for error messages. */
export const DEVICE_ID_RULE = '1 to 64 characters out of A-Z a-z 0-9 . _ : @ -';

/** The device of a connection that names none. */
export const DEFAULT_DEVICE = 'default';

/** True for a user id. In JavaScript `$` matches only at the very end, so a final newline is refused. */
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
