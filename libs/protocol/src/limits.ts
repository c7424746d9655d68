/** Fixed limits of protocol version 1; those that an operator may change are settings. */

/** The WebSocket subprotocol that the server selects. */
export const SUBPROTOCOL = 'posthorn.v1';
/** What a browser's token is put behind, as a second offered subprotocol. */
export const BEARER_SUBPROTOCOL_PREFIX = 'posthorn.bearer.';
/** A client's frame may have this many bytes. */
export const MAX_FRAME_BYTES = 65_536;
/** This many bad frames in a row close the connection. */
export const MAX_BAD_FRAMES = 20;
/** Message ids in one read frame or request. */
export const MAX_READ_IDS = 100;
/** Users in one presence question. */
export const MAX_PRESENCE_USERS = 100;
/** The largest and the default page of an inbox. */
export const MAX_INBOX_PAGE = 500;
export const DEFAULT_INBOX_PAGE = 100;
/** The largest and the default page of the recipients of a message. */
export const MAX_DELIVERY_PAGE = 100;
export const DEFAULT_DELIVERY_PAGE = 20;
/** A ref that a client puts on a frame: a string this long, or a safe integer. */
export const MAX_REF_CHARS = 128;
/** A limit's burst is this many times its sustained rate. */
export const BURST_FACTOR = 4;
