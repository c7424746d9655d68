import type { Message } from '@posthorn/protocol';

/** The message as JSON text. Null if it cannot be encoded, for example if it is nested too deep for the stack. */
export function messageJsonOf(message: Message): string | null {
  try {
    return JSON.stringify(message);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return null;
    throw error;
  }
}

/** Encodes such a message without its `data`. */
export function incompleteJsonOf({ data: _data, ...rest }: Message): string {
  return JSON.stringify(rest);
}
