/** One kind of HTTP error. */
export interface ProblemKind {
  readonly status: number;
  /** The same for every problem of this kind. */
  readonly title: string;
  /** When it is answered. */
  readonly meaning: string;
  /** What the caller does about it. */
  readonly remedy: string;
  /** Headers that every problem of this kind carries unless told otherwise. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Checks a catalogue's shape and freezes it, keeping its codes as types. */
export function defineProblems<const Codes extends string>(
  kinds: Readonly<Record<Codes, ProblemKind>>,
): Readonly<Record<Codes, ProblemKind>> {
  return Object.freeze(kinds);
}

const soon = { 'Retry-After': '1' } as const;

/** Every HTTP error of both services. The codes are stable. */
export const problemsCatalogue = defineProblems({
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    meaning: 'The request is not valid HTTP, or one of its headers or its path cannot be read.',
    remedy: 'Correct the request; the connection may have been closed.',
  },
  invalid_json: {
    status: 400,
    title: 'Body is not JSON',
    meaning: 'The body cannot be parsed as JSON.',
    remedy: 'Send one complete JSON value.',
  },
  empty_body: {
    status: 400,
    title: 'Body is empty',
    meaning: 'The request needs a JSON body and has none.',
    remedy: 'Send a JSON object.',
  },
  invalid_utf8: {
    status: 400,
    title: 'Body is not UTF-8',
    meaning: 'The body holds bytes that are not UTF-8.',
    remedy: 'Encode the body as UTF-8.',
  },
  invalid_query: {
    status: 400,
    title: 'Query is not valid',
    meaning: 'A query parameter is missing, unknown, given twice or out of range.',
    remedy: 'Correct the parameter that `errors` or `detail` names.',
  },
  invalid_idempotency_key: {
    status: 400,
    title: 'Idempotency key is not valid',
    meaning: '`Idempotency-Key` is not 1 to 255 visible ASCII characters, or was given twice.',
    remedy: 'Send one key of 1 to 255 visible ASCII characters, such as a UUID, or none.',
  },
  unauthorized: {
    status: 401,
    title: 'Not authenticated',
    meaning: 'There is no token, or the token is expired or not valid.',
    remedy: 'Send `Authorization: Bearer JWT` with a fresh token.',
    headers: { 'WWW-Authenticate': 'Bearer' },
  },
  forbidden_from: {
    status: 403,
    title: 'Sending for another user is not allowed',
    meaning: "`from` names somebody else and the token's scope lacks `send:as`.",
    remedy: 'Leave `from` out, or use a token with the scope `send:as`.',
  },
  forbidden_origin: {
    status: 403,
    title: 'Origin is not allowed',
    meaning: "The browser's origin is not among `ALLOWED_ORIGINS`.",
    remedy: 'Add the exact origin to `ALLOWED_ORIGINS`.',
  },
  inspector_off: {
    status: 404,
    title: 'The inspector is off',
    meaning: 'The inspector of the admin port was asked for, and ADMIN_TOKEN is not set.',
    remedy: 'Set ADMIN_TOKEN to a secret of 32 bytes or more, and start the service anew.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    meaning: "There is no such thing, or it is not the caller's to see.",
    remedy: 'Check the path and the id.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The path exists, but not with this method.',
    remedy: 'Use one of the methods in `Allow`.',
  },
  request_timeout: {
    status: 408,
    title: 'Request took too long',
    meaning: 'The headers were not complete within 10 s, or the body within 15 s.',
    remedy: 'Send the request again, faster.',
  },
  payload_too_large: {
    status: 413,
    title: 'Body is too large',
    meaning: 'The body is larger than `MAX_BODY_BYTES`.',
    remedy: 'Send less.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Media type is not supported',
    meaning: 'The body is not `application/json` in UTF-8, or its encoding is not supported.',
    remedy: 'Send `Content-Type: application/json`.',
  },
  invalid_message: {
    status: 422,
    title: 'Body is not valid',
    meaning: 'The body is JSON, but not what this endpoint takes.',
    remedy: 'Correct the fields that `errors` points to.',
  },
  idempotency_conflict: {
    status: 422,
    title: 'Idempotency key was used for another body',
    meaning: 'The same sender used this `Idempotency-Key` with a different body.',
    remedy: 'Use a new key for a new message.',
  },
  upgrade_required: {
    status: 426,
    title: 'WebSocket upgrade required',
    meaning: 'The path takes WebSocket connections of version 13 only.',
    remedy: 'Connect with a WebSocket client.',
    headers: { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13' },
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    meaning: "The user's rate limit is used up.",
    remedy: 'Wait for `Retry-After` seconds, then send the same request again.',
    headers: soon,
  },
  too_many_connections: {
    status: 429,
    title: 'Too many connections',
    meaning: 'The user has `MAX_CONNECTIONS_PER_USER` connections already.',
    remedy: 'Close one, or come back after `Retry-After` seconds.',
    headers: { 'Retry-After': '5' },
  },
  headers_too_large: {
    status: 431,
    title: 'Headers are too large',
    meaning: 'The headers are larger than 16 KB, or too many.',
    remedy: 'Send fewer or shorter headers.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    meaning: 'Something failed that should not have; the log has it under the request id.',
    remedy: 'Report the `X-Request-Id`. A retry with the same `Idempotency-Key` is safe.',
  },
  unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    meaning: 'Something that the request needs is out of reach. Nothing was promised.',
    remedy: 'Send it again after `Retry-After` seconds, with the same `Idempotency-Key`.',
    headers: soon,
  },
  draining: {
    status: 503,
    title: 'Stopping',
    meaning: 'This process is about to stop and takes nothing new.',
    remedy: 'Come back after `Retry-After` seconds; another process answers.',
    headers: soon,
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    meaning: 'Too much waits already. Nothing was done with this request.',
    remedy: 'Send it again after `Retry-After` seconds, with the same `Idempotency-Key`.',
    headers: soon,
  },
});

/** The stable code of a kind of problem. */
export type ProblemCode = keyof typeof problemsCatalogue;
