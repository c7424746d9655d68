/** What is wrong with a part of a request body, and where: one item of a problem's `errors`. */
export interface Fault {
  /** JSON Pointer into the body (RFC 6901). */
  readonly pointer: string;
  readonly detail: string;
}

/** A pointer longer than this would only echo the caller's own long keys. */
const MAX_POINTER_CHARS = 512;

/**
 * class-validator carries a constraint's finding as one text. This packs the place below the property into it;
 * U+0000 cannot be part of a pointer, because keys that hold one are refused without being named.
 */
export function packFault({ pointer, detail }: Fault): string {
  return `${pointer}\0${detail}`;
}

/** Reads what `packFault` wrote, or a plain text, for the property at `base`. */
export function unpackFault(base: string, text: string): Fault {
  const end = text.indexOf('\0');
  if (end === -1) return { pointer: base, detail: text };
  const pointer = base + text.slice(0, end);
  return { pointer: pointer.length > MAX_POINTER_CHARS ? base : pointer, detail: text.slice(end + 1) };
}
