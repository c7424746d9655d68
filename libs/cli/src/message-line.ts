import type { InboxItem } from '@posthorn/protocol';
import { shown } from './output.ts';

/** One entry of an inbox, for people. */
export function deliveryLine({ seq, message }: InboxItem): string {
  const { from, text, data, createdAt } = message;
  const body = [text, data === undefined ? undefined : JSON.stringify(data)].filter(
    (part) => part !== undefined,
  );
  return `${seq}  ${createdAt}  ${from}: ${shown(body.join('  '))}`;
}
