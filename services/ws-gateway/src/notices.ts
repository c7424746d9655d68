import type { EntriesItem, GatewayNotice } from '@posthorn/routing';
import type { ConnectionTable } from './connection-table';
import type { Entry } from './delivery';
import type { PresenceKeeper } from './presence-keeper';
import type { ReceiptTeller } from './receipt-news';
import { endSurplusHere } from './surplus';

/** What acting on a notice needs. */
export interface NoticeContext {
  table: ConnectionTable;
  teller: ReceiptTeller;
  presence: PresenceKeeper;
}

/** Something came on this gateway's channel. */
export function handleNotice(notice: GatewayNotice, context: NoticeContext): void {
  switch (notice.type) {
    case 'entries':
      for (const item of notice.items) deliverLive(item, context);
      return;
    case 'receipts':
      return context.teller.tellHere(notice.news);
    case 'takeover':
      for (const session of context.table.ofDevice(notice.user, notice.device))
        session.takeOver(notice.fence, notice.epoch);
      return;
    case 'disconnect': {
      const { user, device } = notice;
      const sessions =
        device === undefined ? [...context.table.of(user)] : context.table.ofDevice(user, device);
      for (const session of sessions) session.close('disconnected');
      return;
    }
    case 'surplus':
      return endSurplusHere(notice.user, notice.device, context.table);
    case 'probe':
      return;
  }
}

/** One message for users of this gateway, encoded once for all of them. */
function deliverLive({ epoch, message, to }: EntriesItem, { table, presence }: NoticeContext): void {
  const messageJson = message === undefined ? undefined : JSON.stringify(message);
  for (const [user, seq] of to) {
    const sessions = table.of(user);
    // Somebody believes that we hold this user: a withdrawal was lost.
    if (sessions.size === 0) void presence.announce(user);
    for (const session of sessions) {
      if (message === undefined || messageJson === undefined) {
        session.learn(seq, epoch);
      } else {
        const { id: messageId, createdAt } = message;
        session.arrive({ seq, messageJson, messageId, createdAt, source: 'live', epoch } satisfies Entry);
      }
      session.pump();
    }
  }
}
