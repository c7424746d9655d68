import type { InboxItem, SkippedRange } from '@posthorn/protocol';
import { shown } from './output.ts';

/** One entry of an inbox, for people. */
export function deliveryLine({ seq, message }: InboxItem): string {
  const { from, text, data, createdAt } = message;
  const body = [text, data === undefined ? undefined : JSON.stringify(data)].filter(
    (part) => part !== undefined,
  );
  return `${seq}  ${createdAt}  ${from}: ${shown(body.join('  '))}`;
}

/** In the place of entries that are not kept any more. */
export function skippedLine({ from, to }: SkippedRange): string {
  return from === to ? `${from} is not kept any more` : `${from} to ${to} are not kept any more`;
}
