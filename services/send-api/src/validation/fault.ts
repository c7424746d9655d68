/** A fault in a request body and its place: one item of a problem's `errors`. */
export interface Fault {
  /** JSON Pointer into the body (RFC 6901). */
  readonly pointer: string;
  readonly detail: string;
}

/** A pointer longer than this would only echo the caller's own long keys. */
const MAX_POINTER_CHARS = 512;

/** Marks packed faults. No text of class-validator begins with it. */
const PACKED = '\0';

/**
 * Packs a fault into one text, because class-validator carries faults as texts. It also replaces words like `$value` in
 * them. A pointer contains the caller's keys, which may be such words, so the text is encoded.
 */
export function packFault({ pointer, detail }: Fault): string {
  return PACKED + Buffer.from(JSON.stringify([pointer, detail])).toString('base64url');
}

/** Reads what `packFault` wrote, or a plain text of class-validator, for the property at `base`. */
export function unpackFault(base: string, text: string): Fault {
  if (!text.startsWith(PACKED)) return { pointer: base, detail: text };
  const [below, detail]: [string, string] = JSON.parse(Buffer.from(text.slice(1), 'base64url').toString());
  const pointer = base + below;
  return { pointer: pointer.length > MAX_POINTER_CHARS ? base : pointer, detail };
}
