/** Fixed limits of protocol version 1. Limits that an operator may change are settings. */

/** The WebSocket subprotocol that the server selects. */
export const SUBPROTOCOL = 'posthorn.v1';
/** A browser offers this prefix and its token as a second subprotocol (PROTOCOL §3.3). */
export const BEARER_SUBPROTOCOL_PREFIX = 'posthorn.bearer.';
/** The most bytes in a client's frame. */
export const MAX_FRAME_BYTES = 65_536;
/** This many bad frames in a row close the connection. */
export const MAX_BAD_FRAMES = 20;
/** The most message ids in one `read` frame or request. */
export const MAX_READ_IDS = 100;
/** The most users in one presence request. */
export const MAX_PRESENCE_USERS = 100;
/** Entries per page of an inbox: the maximum and the default. */
export const MAX_INBOX_PAGE = 500;
export const DEFAULT_INBOX_PAGE = 100;
/** Recipients per page of a delivery report: the maximum and the default. */
export const MAX_DELIVERY_PAGE = 100;
export const DEFAULT_DELIVERY_PAGE = 20;
/** The most characters in a `ref` that is a string. A `ref` may also be a safe integer. */
export const MAX_REF_CHARS = 128;
/** The burst of a rate limit is this many times its sustained rate. */
export const BURST_FACTOR = 4;
