import { createHash } from 'node:crypto';
import type { JsonObject } from '@posthorn/protocol';

/** What a message says; at least one of the two is there. */
export interface MessageBody {
  text?: string | undefined;
  data?: JsonObject | undefined;
}

/** A short name for what a message says: two bodies have one exactly when they are the same. */
export function hashOf({ text, data }: MessageBody): string {
  return createHash('sha1')
    .update(JSON.stringify([text ?? null, data ?? null]))
    .digest('hex')
    .slice(0, 16);
}
