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

/** Shown instead of entries that are no longer kept. */
export function skippedLine({ from, to }: SkippedRange): string {
  return from === to ? `${from} is no longer kept` : `${from} to ${to} are no longer kept`;
}
