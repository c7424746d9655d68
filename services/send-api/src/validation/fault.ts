/** What is wrong with a part of a request body, and where: one item of a problem's `errors`. */
export interface Fault {
  /** JSON Pointer into the body (RFC 6901). */
  readonly pointer: string;
  readonly detail: string;
}

/** A pointer longer than this would only echo the caller's own long keys. */
const MAX_POINTER_CHARS = 512;

/** No text of class-validator's own begins with it. */
const PACKED = '\0';

/**
 * class-validator carries a constraint's finding as one text, in which it replaces words like `$value`. A pointer
 * holds the caller's keys, which may be such words: packed, none of them can be seen.
 */
export function packFault({ pointer, detail }: Fault): string {
  return PACKED + Buffer.from(JSON.stringify([pointer, detail])).toString('base64url');
}

/** Reads what `packFault` wrote, or a plain text, for the property at `base`. */
export function unpackFault(base: string, text: string): Fault {
  if (!text.startsWith(PACKED)) return { pointer: base, detail: text };
  const [below, detail]: [string, string] = JSON.parse(Buffer.from(text.slice(1), 'base64url').toString());
  const pointer = base + below;
  return { pointer: pointer.length > MAX_POINTER_CHARS ? base : pointer, detail };
}
