import type { EntriesItem, GatewayNotice } from '@posthorn/routing';
import { endSurplusHere } from '../connect/surplus';
import type { ConnectionTable } from '../holding/connection-table';
import type { PresenceKeeper } from '../holding/presence-keeper';
import type { ReceiptTeller } from '../receipts/receipt-news';
import { messageJsonOf } from '../session/message-json';

/** What handling a notice needs. */
export interface NoticeContext {
  table: ConnectionTable;
  teller: ReceiptTeller;
  presence: PresenceKeeper;
  /** An operator asks which connections are here. */
  onInspect: (notice: GatewayNotice & { type: 'inspect' }) => void;
  /** A notice, or one item of it, could not be handled. */
  onFault: (error: unknown) => void;
}

/**
 * Handles a notice from this gateway's channel. A bad notice must not end this process, so faults are reported and the
 * notice or its bad item is dropped. Nothing is lost: Postgres has the entries.
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

/** Hands one message to its recipients on this gateway. It is encoded once for all of them. */
function deliverLive({ epoch, message, to, trace }: EntriesItem, { table, presence }: NoticeContext): void {
  const messageJson = message === undefined ? null : messageJsonOf(message);
  const traced = trace === undefined ? {} : { trace };
  for (const [user, seq] of to) {
    const sessions = table.of(user);
    // Presence still says that this gateway holds the user. Correct it: a withdrawal was lost.
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
