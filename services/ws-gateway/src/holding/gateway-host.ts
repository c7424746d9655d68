import { type CloseReason, closeCodes } from '@posthorn/protocol';
import type { GatewaySettings, Logger } from '@posthorn/runtime';
import type { AckCommitter } from '../acknowledge/ack-committer';
import type { EntryFetcher } from '../arrivals/entry-fetcher';
import type { GatewayMetrics } from '../metrics';
import type { Entry, SkippedRange } from '../session/delivery';
import type { DeliveryTraces } from '../session/delivery-traces';
import type { Session, SessionHost } from '../session/session';
import type { ConnectionTable } from './connection-table';
import type { DeviceReleaser } from './device-releaser';
import type { PresenceKeeper } from './presence-keeper';

/** What the host of the sessions needs. */
export interface GatewayHostOptions {
  /** The id of this gateway. */
  gateway: string;
  settings: GatewaySettings;
  table: ConnectionTable;
  metrics: GatewayMetrics;
  fetcher: EntryFetcher;
  acks: AckCommitter;
  presence: PresenceKeeper;
  releaser: DeviceReleaser;
  traces: DeliveryTraces | null;
  log: Logger;
}

/** Passes what sessions ask for to the parts of the gateway that do it. */
export class GatewayHost implements SessionHost {
  readonly deliveryWindow: number;
  readonly maxBufferedBytes: number;
  readonly heartbeatMs: number;
  readonly rateLimitFrames: number;
  readonly #options: GatewayHostOptions;

  constructor(options: GatewayHostOptions) {
    this.#options = options;
    ({
      deliveryWindow: this.deliveryWindow,
      maxBufferedBytes: this.maxBufferedBytes,
      heartbeatMs: this.heartbeatMs,
      rateLimitFrames: this.rateLimitFrames,
    } = options.settings);
  }

  onSent(session: Session, entry: Entry): void {
    const { seq, source, messageId, createdAt } = entry;
    const { metrics, log, traces } = this.#options;
    traces?.sent(session, entry);
    metrics.deliveries.inc({ source });
    if (source === 'live')
      metrics.deliveryLag.observe(Math.max(0, Date.now() - Date.parse(createdAt)) / 1000);
    if (log.isDebugEnabled()) {
      log.debug('message sent', { messageId, user: session.user, device: session.device, seq, source });
    }
  }

  onSkipped({ user, device }: Session, { from, to }: SkippedRange): void {
    const { metrics, log } = this.#options;
    metrics.skipped.inc(to + 1 - from);
    log.info('deleted entries skipped', { user, device, from, to });
  }

  onWant(session: Session): void {
    this.#options.fetcher.fetch(session);
  }

  onAck(session: Session): void {
    this.#options.acks.commit(session);
  }

  /** From now on the session does not count any more, even if its socket is still open. */
  onLeave(session: Session, reason: CloseReason | 'peer'): void {
    const { gateway, table, presence, acks, releaser, metrics, log } = this.#options;
    table.remove(session);
    void presence.announce(session.user);
    const { fence, epoch, user, device } = session;
    if (fence === null || epoch === null) return;
    acks.leave(session);
    releaser.release({ user, device, fence, epoch, gateway });
    metrics.closes.inc({ code: reason === 'peer' ? '0' : String(closeCodes[reason].code) });
    log.info('connection ended', { user, device, session: session.id, reason });
  }
}
