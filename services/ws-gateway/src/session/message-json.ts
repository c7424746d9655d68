import type { Message } from '@posthorn/protocol';

/** The message as JSON text; null for one that cannot be encoded, such as one nested beyond what the stack takes. */
export function messageJsonOf(message: Message): string | null {
  try {
    return JSON.stringify(message);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return null;
    throw error;
  }
}

/** What can be encoded of such a message: all but its `data`. */
export function incompleteJsonOf({ data: _data, ...rest }: Message): string {
  return JSON.stringify(rest);
}
