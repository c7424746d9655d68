import type { EntriesItem, GatewayNotice } from '@posthorn/routing';
import { endSurplusHere } from '../connect/surplus';
import type { ConnectionTable } from '../holding/connection-table';
import type { PresenceKeeper } from '../holding/presence-keeper';
import type { ReceiptTeller } from '../receipts/receipt-news';
import { messageJsonOf } from '../session/message-json';

/** What acting on a notice needs. */
export interface NoticeContext {
  table: ConnectionTable;
  teller: ReceiptTeller;
  presence: PresenceKeeper;
  /** An operator asks what is connected here. */
  onInspect: (notice: GatewayNotice & { type: 'inspect' }) => void;
  /** A notice, or one item of it, could not be acted on. */
  onFault: (error: unknown) => void;
}

/**
 * Something came on this gateway's channel. Whoever can publish there must not be able to end this process, so what
 * cannot be acted on is told and dropped: Postgres has the entries.
 */
export function handleNotice(notice: GatewayNotice, context: NoticeContext): void {
  if (notice.type === 'entries') {
    for (const item of notice.items) attempt(() => deliverLive(item, context), context);
  } else {
    attempt(() => act(notice, context), context);
  }
}

function attempt(work: () => void, { onFault }: NoticeContext): void {
  try {
    work();
  } catch (error) {
    onFault(error);
  }
}

function act(notice: Exclude<GatewayNotice, { type: 'entries' }>, context: NoticeContext): void {
  switch (notice.type) {
    case 'receipts':
      return context.teller.tellHere(notice.news);
    case 'takeover':
      for (const session of context.table.ofDevice(notice.user, notice.device))
        session.takeOver(notice.fence, notice.epoch);
      return;
    case 'disconnect': {
      const { user, device } = notice;
      const sessions = device === undefined ? context.table.of(user) : context.table.ofDevice(user, device);
      for (const session of sessions) session.close('disconnected');
      return;
    }
    case 'inspect':
      return context.onInspect(notice);
    case 'surplus':
      return endSurplusHere(notice.user, notice.device, context.table);
    case 'probe':
      return;
  }
}

/** One message for users of this gateway, encoded once for all of them. */
function deliverLive({ epoch, message, to, trace }: EntriesItem, { table, presence }: NoticeContext): void {
  const messageJson = message === undefined ? null : messageJsonOf(message);
  const traced = trace === undefined ? {} : { trace };
  for (const [user, seq] of to) {
    const sessions = table.of(user);
    // Somebody believes that we hold this user: a withdrawal was lost.
    if (sessions.length === 0) void presence.announce(user);
    for (const session of sessions) {
      if (message === undefined || messageJson === null) {
        session.learn(seq, epoch);
      } else {
        const { id: messageId, createdAt } = message;
        session.arrive({ seq, messageJson, messageId, createdAt, source: 'live', epoch, ...traced });
      }
      session.pump();
    }
  }
}
