import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { InboxDatabase } from '@posthorn/inbox';
import { inspectorRoutes } from '@posthorn/inspector';
import {
  GatewayChannel,
  GatewayDirectory,
  Keys,
  Lease,
  LiveGateways,
  Notifier,
  OfflineList,
  Presence,
  RedisConnection,
} from '@posthorn/routing';
import {
  type GatewaySettings,
  type Readiness,
  type RunningService,
  type ServiceContext,
  TokenVerifier,
} from '@posthorn/runtime';
import { AckCommitter } from './acknowledge/ack-committer';
import { createAckMoves } from './acknowledge/ack-moves';
import { LateAcks } from './acknowledge/late-acks';
import { ListTrimmer } from './acknowledge/list-trimmer';
import { EntryFetcher } from './arrivals/entry-fetcher';
import { handleNotice } from './arrivals/notices';
import { Reconciler } from './arrivals/reconciler';
import type { ConnectContext } from './connect/connect-steps';
import { DeviceClaimer } from './connect/device-claimer';
import { endSurplus, type SurplusContext } from './connect/surplus';
import { handleUpgrade } from './connect/upgrade';
import { handleFrame } from './frames/handle-frame';
import { type GatewayOptions, gatewayDefaults } from './gateway-options';
import { connectionPage } from './holding/connection-page';
import { ConnectionTable } from './holding/connection-table';
import { DeviceReleaser } from './holding/device-releaser';
import { GatewayHost } from './holding/gateway-host';
import { PresenceKeeper } from './holding/presence-keeper';
import { sendAway, stopConnections } from './holding/stop-connections';
import { createGatewayMetrics } from './metrics';
import { ReadRecorder } from './receipts/read-recorder';
import { ReceiptTeller } from './receipts/receipt-news';
import { DeliveryTraces } from './session/delivery-traces';
import type { Session } from './session/session';
import { type ConnectionHandlers, Connections } from './socket/connection';
import { ConnectionClock } from './socket/connection-clock';
import { openHttpServer } from './socket/http-server';

/** How long a stop waits for the last close frames to be written, after all connections were sent away. */
const END_CLOSING_MS = 2_000;
/** Time that the stop keeps for its last waits, after the late writes of ended connections. */
const STOP_MARGIN_MS = 500;

/**
 * Creates everything that lives as long as the process, and listens. The stop ends it in reverse order. Redis and
 * Postgres may still be unreachable.
 * @throws the error of `listen` if the port is not available
 */
export async function createGateway(
  context: ServiceContext<GatewaySettings>,
  options: Partial<GatewayOptions> = {},
): Promise<RunningService> {
  const { redisWaits, databaseWaits, now, ...limits } = { ...gatewayDefaults, ...options };
  const { settings, log, life, metrics: registry, tracing } = context;
  const gateway = randomBytes(6).toString('hex');
  const startedAt = new Date().toISOString();
  let isStopping = false;

  const table = new ConnectionTable();
  const metrics = createGatewayMetrics(registry, table);
  const { storeErrors } = metrics;
  const db = InboxDatabase.open({
    url: settings.databaseUrl,
    poolSize: settings.databaseConnections,
    log,
    onFault: () => storeErrors.inc({ store: 'postgres' }),
    waits: databaseWaits,
  });
  life.onStop('postgres', () => db.close());
  const redis = new RedisConnection(settings.redisUrl, log, redisWaits);
  redis.onFault(() => storeErrors.inc({ store: 'redis' }));
  life.onStop('redis', () => redis.close());

  const tokens = new TokenVerifier({ auth: settings.auth });

  const keys = new Keys(settings.redisPrefix);
  const gateways = new LiveGateways(redis, keys);
  const reads = new Presence(redis, keys, gateways);
  const notifier = new Notifier(redis, keys, reads);
  const list = new OfflineList(redis, keys);

  const directory = new GatewayDirectory(redis, keys);

  const teller = new ReceiptTeller(gateway, table, notifier, metrics);
  const trimmer = new ListTrimmer(db, list, metrics, limits.trimIntervalMs);
  life.onStop('list trimmer', () => trimmer.stop());
  const moves = createAckMoves(db, teller);
  const lateAcks = new LateAcks(moves, trimmer, metrics, log);
  life.onStop('late acknowledgements', () => lateAcks.stop());
  const onRefused = (): void => reconciler.run();
  const traces = tracing === null ? null : new DeliveryTraces(tracing);
  const acks = new AckCommitter({ moves, late: lateAcks, trimmer, metrics, traces, log, onRefused });
  const recorder = new ReadRecorder(db, teller, metrics, log);
  const releaser = new DeviceReleaser(db, log);
  life.onStop('releaser', () => releaser.stop());
  const onPast = (session: Session): void => sendAway(session, settings.drainMs);
  const fetcher = new EntryFetcher(db, list, metrics, log, onPast);
  life.onStop('fetcher', () => fetcher.stop());

  const limit = settings.maxConnectionsPerUser;
  const surplusContext: SurplusContext = { db, table, notifier, gateway, limit };
  const presence = new PresenceKeeper({
    gateway,
    presence: reads,
    lease: new Lease(redis, keys, gateway, () => ({
      host: hostname(),
      pid: process.pid,
      startedAt,
      connections: table.size,
      users: table.userCount,
    })),
    table,
    maxConnectionsPerUser: limit,
    renewMs: limits.leaseRenewMs,
    log,
    listener: {
      onLost: () => reconciler.run(),
      onSurplus: (user, holders) => void endSurplus(user, holders, surplusContext),
    },
    now,
  });
  const reconciler = new Reconciler({
    db,
    table,
    intervalMs: settings.reconcileIntervalMs,
    metrics,
    log,
    onRepair: (user) => void presence.announce(user),
    onPast,
    onAckWaiting: (session) => acks.commit(session),
  });
  life.onStop('reconciler', () => reconciler.stop());

  const onFault = (error: unknown): void => {
    metrics.rubbish.inc();
    log.error('a notice could not be handled', { error });
  };
  const onInspect = ({ id, ...page }: { id: string; after: number; limit: number }): void => {
    directory.answer(id, connectionPage(table, page, now())).catch(onFault);
  };
  const channel = new GatewayChannel(
    redis,
    keys,
    gateway,
    {
      onNotice: (notice) => handleNotice(notice, { table, teller, presence, onInspect, onFault }),
      onReturn: () => reconciler.run(),
      onRubbish: () => metrics.rubbish.inc(),
    },
    log,
  );
  life.onStop('channel', () => channel.close());
  // Subscribe before the first user is announced: no notice is published to this gateway before it listens.
  await channel.whenSubscribed(4 * redisWaits.commandMs);
  life.onStop('presence', () => presence.stop());
  await presence.start();
  redis.onReady(() => void presence.reassert());

  const host = new GatewayHost({
    gateway,
    settings,
    table,
    metrics,
    fetcher,
    acks,
    presence,
    releaser,
    traces,
    log,
  });
  const handlers: ConnectionHandlers = {
    onText: (session, text) => {
      if (!session.hear(now())) return;
      handleFrame(session, text, { tokens, reads: recorder, metrics }).catch((error: unknown) => {
        log.error('a frame could not be handled', { user: session.user, error });
        session.close('internalError');
      });
    },
    onControl: (session, isPing) => {
      if (isPing) session.hear(now());
      else session.lastHeardMs = now();
    },
    onClose: (session) => session.end(),
  };
  const connections = new Connections(handlers, settings.slowConsumerMs);
  const clock = new ConnectionClock({ ...settings, table, now: now });
  life.onStop('clock', () => clock.stop());

  const connectContext: ConnectContext = {
    gateway,
    db,
    claims: new DeviceClaimer(db, limits.maxWaitingClaims, limits.maxLockedClaimMs),
    notifier,
    presence,
    table,
    host,
    tokens,
    releaser,
    lateAcks,
    reconciler,
    allowedOrigins: settings.allowedOrigins,
    maxConnectionsPerUser: limit,
    log,
    now,
    isStopping: () => isStopping,
    openSocket: ({ request, socket, head }, session) => connections.open(request, socket, head, session),
  };
  const upgradeContext = { ...connectContext, settings, metrics };
  const { headersTimeoutMs } = limits;
  const server = await openHttpServer(
    { port: settings.port, headersTimeoutMs, log },
    (request, socket, head) => {
      handleUpgrade(request, socket, head, upgradeContext).catch((error: unknown) =>
        log.error('an upgrade could not be handled', { error }),
      );
    },
  );
  life.onStop('http', () => server.close());
  life.onStop('connections', async (allowedMs) => {
    const deadline = performance.now() + allowedMs - STOP_MARGIN_MS;
    isStopping = true;
    // Balancers need time to notice that this gateway is not ready. Until half of the time is over it answers
    // upgrades with 503, even if nobody is connected.
    const halfway = new Promise((resolve) => setTimeout(resolve, settings.drainMs / 2));
    await Promise.all([stopConnections(table, settings.drainMs), halfway]);
    const leftMs = Math.max(0, deadline - performance.now());
    const [areAcksWritten, areEndsWritten] = await Promise.all([
      lateAcks.idle(leftMs),
      releaser.idle(leftMs),
      recorder.idle(),
      connections.endClosing(Math.min(leftMs, END_CLOSING_MS)),
    ]);
    if (!areAcksWritten || !areEndsWritten) log.error('stopped before everything was written to Postgres');
    await Promise.all([moves.idle(), teller.idle()]);
  });

  return {
    port: server.port,
    readiness: async (): Promise<Readiness> => {
      const [missing, isRedisThere] = await Promise.all([db.readiness(), redis.answers()]);
      const isDegraded = !isRedisThere || !channel.isSubscribed || !presence.isLeased;
      return {
        ready: missing === null,
        missing: { ...missing },
        degraded: isDegraded
          ? { redis: 'Redis is unreachable or refuses writes: messages come from Postgres.' }
          : {},
      };
    },
    adminRoutes: inspectorRoutes({ db, presence: reads, offline: list, directory }, settings.adminToken),
  };
}
