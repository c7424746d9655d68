import { MAX_DELIVERY_PAGE } from '@posthorn/protocol';
import type { Command } from 'commander';
import { httpFor } from '../context.ts';
import { EXIT } from '../exit.ts';
import type { WithContext } from '../with-context.ts';

/** The fields that this command prints from a page of `GET /v1/messages/ID/delivery` (PROTOCOL §4.4). */
interface DeliveryPage {
  from: string;
  committedAt: string;
  recipients: number;
  items: {
    user: string;
    state: string;
    why: string;
    devices: { device: string; state: string; why: string }[];
  }[];
}

/** `posthorn delivery ID`. */
export function addDelivery(program: Command, withContext: WithContext): void {
  program
    .command('delivery')
    .description(
      'print the delivery status of a message for each recipient and device, and why it still waits',
    )
    .argument('<id>', 'a message that the user sent')
    .option('--as <user>', 'the sender (signs a token with AUTH_JWT_SECRET)')
    .action(
      withContext<[string], { as?: string }>(async (context, [id], options) => {
        const client = httpFor(context, options.as);
        for (let after = 0; ; after += MAX_DELIVERY_PAGE) {
          const path = `/v1/messages/${encodeURIComponent(id)}/delivery?after=${after}&limit=${MAX_DELIVERY_PAGE}`;
          const page = (await client.get(path)) as DeliveryPage;
          await context.out.result(page, () => linesOf(page, after === 0));
          if (after + page.items.length >= page.recipients) return EXIT.ok;
        }
      }),
    );
}

function linesOf({ from, committedAt, recipients, items }: DeliveryPage, isFirst: boolean): string {
  const heading = `committed ${committedAt}, from ${from} to ${recipients} recipient(s)`;
  const lines = items.flatMap(({ user, state, why, devices }) => [
    `${user}  ${state}: ${why}`,
    ...devices.map((device) => `  ${device.device}  ${device.state}: ${device.why}`),
  ]);
  return (isFirst ? [heading, ...lines] : lines).join('\n');
}
