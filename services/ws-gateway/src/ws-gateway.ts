import { randomBytes } from 'node:crypto';
import { InboxDatabase } from '@posthorn/inbox';
import {
  GatewayChannel,
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
import { AckCommitter } from './ack-committer';
import type { ConnectContext } from './connect/connect-steps';
import { DeviceClaimer } from './connect/device-claimer';
import { handleUpgrade } from './connect/upgrade';
import { Connections } from './connection';
import { ConnectionClock } from './connection-clock';
import { ConnectionTable } from './connection-table';
import { DeviceReleaser } from './device-releaser';
import { EntryFetcher } from './entry-fetcher';
import { handleFrame } from './frames/handle-frame';
import { GatewayHost } from './gateway-host';
import { openHttpServer } from './http-server';
import { ListTrimmer } from './list-trimmer';
import { createGatewayMetrics } from './metrics';
import { handleNotice } from './notices';
import { PresenceKeeper } from './presence-keeper';
import { ReadRecorder } from './read-recorder';
import { ReceiptTeller } from './receipt-news';
import { Reconciler } from './reconciler';
import { sendAway, stopConnections } from './stop-connections';
import { endSurplus, type SurplusContext } from './surplus';

/** Milliseconds that never go back, whatever is done to the clock on the wall. */
function monotonicMs(): number {
  return performance.now();
}

/** Everything that lives as long as the process: made here, and undone in reverse when it stops. */
export async function createGateway(context: ServiceContext<GatewaySettings>): Promise<RunningService> {
  const { settings, log, life, metrics: registry } = context;
  const gateway = randomBytes(6).toString('hex');
  let isStopping = false;

  const table = new ConnectionTable();
  const metrics = createGatewayMetrics(registry, table);
  const { storeErrors } = metrics;
  const db = InboxDatabase.open({
    url: settings.databaseUrl,
    log,
    onFault: () => storeErrors.inc({ store: 'postgres' }),
  });
  life.onStop('postgres', () => db.close());
  const redis = new RedisConnection(settings.redisUrl, log);
  redis.onFault(() => storeErrors.inc({ store: 'redis' }));
  life.onStop('redis', () => redis.close());

  const tokens = new TokenVerifier({ auth: settings.auth });

  const keys = new Keys(settings.redisPrefix);
  const gateways = new LiveGateways(redis, keys);
  const reads = new Presence(redis, keys, gateways);
  const notifier = new Notifier(redis, keys, reads);
  const list = new OfflineList(redis, keys);

  const teller = new ReceiptTeller(gateway, table, notifier, metrics);
  const trimmer = new ListTrimmer(db, list, metrics);
  life.onStop('list trimmer', () => trimmer.stop());
  const acks = new AckCommitter(db, teller, trimmer, metrics, log, () => reconciler.run());
  const recorder = new ReadRecorder(db, teller, metrics, log);
  const releaser = new DeviceReleaser(db, log);
  const fetcher = new EntryFetcher(db, list, metrics, log);
  life.onStop('fetcher', () => fetcher.stop());

  const limit = settings.maxConnectionsPerUser;
  const surplusContext: SurplusContext = { db, table, notifier, gateway, limit };
  const presence = new PresenceKeeper({
    gateway,
    presence: reads,
    lease: new Lease(redis, keys, gateway),
    table,
    maxConnectionsPerUser: limit,
    log,
    listener: {
      onLost: () => reconciler.run(),
      onSurplus: (user, holders) => void endSurplus(user, holders, surplusContext),
    },
  });
  const reconciler = new Reconciler({
    db,
    table,
    intervalMs: settings.reconcileIntervalMs,
    metrics,
    log,
    onRepair: (user) => void presence.announce(user),
    onNewEpoch: (session) => sendAway(session, settings.drainMs),
    onAckWaiting: (session) => acks.commit(session),
    onRound: () => releaser.retry(),
  });
  life.onStop('reconciler', () => reconciler.stop());

  const channel = new GatewayChannel(
    redis,
    keys,
    gateway,
    {
      onNotice: (notice) => handleNotice(notice, { table, teller, presence }),
      onReturn: () => reconciler.run(),
      onRubbish: () => metrics.rubbish.inc(),
    },
    log,
  );
  life.onStop('channel', () => channel.close());
  // The channel is subscribed before anybody is announced: nothing is published to us before we listen.
  await channel.whenSubscribed(1_000);
  life.onStop('presence', () => presence.stop());
  await presence.start();
  redis.onReady(() => void presence.reassert());

  const host = new GatewayHost({ settings, table, metrics, fetcher, acks, presence, releaser, log });
  const connections = new Connections({
    onText: (session, text) => {
      if (!session.hear(monotonicMs())) return;
      handleFrame(session, text, { tokens, reads: recorder, metrics }).catch((error: unknown) => {
        log.error('a frame could not be handled', { user: session.user, error });
        session.close('internalError');
      });
    },
    onControl: (session, isPing) => {
      if (isPing) session.hear(monotonicMs());
      else session.lastHeardMs = monotonicMs();
    },
    onClose: (session) => session.end(),
  });
  const clock = new ConnectionClock({ ...settings, table, now: monotonicMs });
  life.onStop('clock', () => clock.stop());

  const connectContext: ConnectContext = {
    gateway,
    db,
    claims: new DeviceClaimer(db),
    notifier,
    presence,
    table,
    host,
    tokens,
    releaser,
    allowedOrigins: settings.allowedOrigins,
    maxConnectionsPerUser: limit,
    log,
    now: monotonicMs,
    isStopping: () => isStopping,
    openSocket: ({ request, socket, head }, session) => connections.open(request, socket, head, session),
  };
  const upgradeContext = { ...connectContext, upgradeTimeoutMs: settings.upgradeTimeoutMs, metrics };
  const server = await openHttpServer(settings.port, log, (request, socket, head) => {
    handleUpgrade(request, socket, head, upgradeContext).catch((error: unknown) =>
      log.error('an upgrade could not be handled', { error }),
    );
  });
  life.onStop('http', () => server.close());
  life.onStop('connections', async () => {
    isStopping = true;
    // Balancers see the readiness first: until half of the time is over, upgrades are answered (503), also with
    // nobody connected.
    const halfway = new Promise((resolve) => setTimeout(resolve, settings.drainMs / 2));
    await Promise.all([stopConnections(table, settings.drainMs), halfway]);
    await Promise.all([acks.idle(), recorder.idle()]);
    await Promise.all([releaser.idle(), teller.idle()]);
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
          ? { redis: 'Redis is out of reach or refuses writes: delivery comes from Postgres' }
          : {},
      };
    },
  };
}
