/** One kind of HTTP error. */
export interface ProblemKind {
  readonly status: number;
  /** Identical for every problem of this kind. */
  readonly title: string;
  /** When it is answered. */
  readonly meaning: string;
  /** What the caller should do. */
  readonly remedy: string;
  /** Headers of every problem of this kind, unless the problem sets them itself. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Checks a catalogue's shape and freezes it. The codes stay visible as types. */
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
    meaning: 'The request is not valid HTTP, or its path or one of its headers cannot be read.',
    remedy: 'Correct the request. Open a new connection if this one was closed.',
  },
  invalid_json: {
    status: 400,
    title: 'Body is not JSON',
    meaning: 'The body cannot be parsed as JSON.',
    remedy: 'Send one complete JSON object.',
  },
  empty_body: {
    status: 400,
    title: 'Body is empty',
    meaning: 'The request needs a JSON body, but has none.',
    remedy: 'Send a JSON object.',
  },
  invalid_utf8: {
    status: 400,
    title: 'Body is not UTF-8',
    meaning: 'The body has bytes that are not UTF-8.',
    remedy: 'Encode the body as UTF-8.',
  },
  invalid_query: {
    status: 400,
    title: 'Query is not valid',
    meaning: 'A query parameter is missing, unknown, repeated or out of range.',
    remedy: 'Correct the parameter that `errors` or `detail` names.',
  },
  invalid_idempotency_key: {
    status: 400,
    title: 'Idempotency key is not valid',
    meaning: '`Idempotency-Key` is not 1 to 255 visible ASCII characters, or was given twice.',
    remedy: 'Send one key of 1 to 255 visible ASCII characters, for example a UUID, or send none.',
  },
  unauthorized: {
    status: 401,
    title: 'Not authenticated',
    meaning: 'The token is missing, expired or not valid.',
    remedy: 'Send `Authorization: Bearer JWT` with a fresh token.',
    headers: { 'WWW-Authenticate': 'Bearer' },
  },
  forbidden_from: {
    status: 403,
    title: 'Sending for another user is not allowed',
    meaning: "`from` names somebody else, and the token's scope lacks `send:as`.",
    remedy: 'Leave `from` out, or use a token with the scope `send:as`.',
  },
  forbidden_origin: {
    status: 403,
    title: 'Origin is not allowed',
    meaning: "The browser's origin is not among `ALLOWED_ORIGINS`.",
    remedy: 'Add the exact origin to `ALLOWED_ORIGINS`, and restart the service.',
  },
  inspector_off: {
    status: 404,
    title: 'The inspector is off',
    meaning: 'The inspector of the admin port needs ADMIN_TOKEN, which is not set.',
    remedy: 'Set `ADMIN_TOKEN` to a secret of 32 bytes or more, and restart the service.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    meaning: 'There is no such thing, or the caller may not see it.',
    remedy: 'Check the path, the id and the user of the token.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The path does not take this method.',
    remedy: 'Use one of the methods in the `Allow` header.',
  },
  request_timeout: {
    status: 408,
    title: 'Request took too long',
    meaning: 'The headers were not complete within 10 s, or the body within 15 s.',
    remedy: 'Send the whole request again within these times.',
  },
  payload_too_large: {
    status: 413,
    title: 'Body is too large',
    meaning: 'The body is larger than `MAX_BODY_BYTES`.',
    remedy: 'Send a smaller body, or raise `MAX_BODY_BYTES`.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Media type is not supported',
    meaning: 'The body is not `application/json` in UTF-8, or its encoding is not supported.',
    remedy: 'Send `Content-Type: application/json`. Compress only with gzip, deflate or br.',
  },
  invalid_message: {
    status: 422,
    title: 'Body is not valid',
    meaning: 'The body is JSON, but this endpoint does not accept it.',
    remedy: 'Correct the fields that `errors` points to.',
  },
  idempotency_conflict: {
    status: 422,
    title: 'Idempotency key was used for another body',
    meaning: 'The same sender used this `Idempotency-Key` with a different body.',
    remedy: 'Use a new key for each new message.',
  },
  upgrade_required: {
    status: 426,
    title: 'WebSocket upgrade required',
    meaning: 'The path takes WebSocket connections of version 13 only.',
    remedy: 'Connect with a WebSocket client of version 13.',
    headers: { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13' },
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    meaning: "The user's rate limit is used up, or the connection has too many unanswered requests.",
    remedy: 'Wait for `Retry-After` seconds, then send the same request again.',
    headers: soon,
  },
  too_many_connections: {
    status: 429,
    title: 'Too many connections',
    meaning: 'The user already has `MAX_CONNECTIONS_PER_USER` connections.',
    remedy: 'Close one of them, or try again after `Retry-After` seconds.',
    headers: { 'Retry-After': '5' },
  },
  headers_too_large: {
    status: 431,
    title: 'Headers are too large',
    meaning: 'The headers are larger than 16 KB.',
    remedy: 'Send fewer or shorter headers.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    meaning: 'The server has a fault. Its log has the details under the request id.',
    remedy: 'Report the `X-Request-Id`. Sending again with the same `Idempotency-Key` is safe.',
  },
  unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    meaning: 'Something that the request needs is unreachable. The request may or may not have been done.',
    remedy: 'Send it again after `Retry-After` seconds, with the same `Idempotency-Key`.',
    headers: soon,
  },
  draining: {
    status: 503,
    title: 'Stopping',
    meaning: 'This process is stopping and takes no new requests.',
    remedy: 'Send it again after `Retry-After` seconds. Another process will answer.',
    headers: soon,
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    meaning: 'Too many requests are waiting. Nothing was done with this one.',
    remedy: 'Send it again after `Retry-After` seconds, with the same `Idempotency-Key`.',
    headers: soon,
  },
});

/** The stable code of a kind of problem. */
export type ProblemCode = keyof typeof problemsCatalogue;
