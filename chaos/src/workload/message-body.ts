import { createHash } from 'node:crypto';
import type { JsonObject } from '@posthorn/protocol';

/** The content of a message. At least one of the two is there. */
export interface MessageBody {
  text?: string | undefined;
  data?: JsonObject | undefined;
}

/** A hash of a content. Two contents have the same hash exactly if they are equal. */
export function hashOf({ text, data }: MessageBody): string {
  return createHash('sha1')
    .update(JSON.stringify([text ?? null, data ?? null]))
    .digest('hex')
    .slice(0, 16);
}
