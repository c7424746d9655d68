import {
  acceptMessages,
  findLastSeen,
  findMessage,
  findReceipts,
  InboxDatabase,
  keepPartitions,
  purgeIdempotencyKeys,
  readInboxPage,
} from '@posthorn/inbox';
import { inspectorRoutes, reportDelivery } from '@posthorn/inspector';
import {
  GatewayDirectory,
  Keys,
  LiveGateways,
  Notifier,
  OfflineList,
  Presence,
  RedisConnection,
  Router,
  SendLimiter,
} from '@posthorn/routing';
import {
  type Readiness,
  type RunningService,
  type SendApiSettings,
  type ServiceContext,
  TokenVerifier,
} from '@posthorn/runtime';
import { answerWithin } from './answer-within';
import { createApp } from './http/app';
import { createAuthenticate } from './http/authenticate';
import { disconnectRoute } from './http/disconnect-route';
import { createEndpoints } from './http/endpoints';
import { HttpServer } from './http/http-server';
import { MessageCommitter } from './messages/message-committer';
import { defineSendMessage } from './messages/send-message.dto';
import { createSendApiMetrics, watchPendingSends } from './metrics';
import { createReadCommitter } from './receipts/read-committer';
import { buildOpenApi } from './reference/openapi';
import { createReferencePage } from './reference/page';
import { SEND_API_WAITS } from './send-api-waits';
import { createJanitor } from './upkeep/janitor';
import { createPartitionKeeper } from './upkeep/partition-keeper';
import { dtoValidator } from './validation/validate-dto';

/**
 * Creates everything that lives as long as the process, and listens. The stop ends it in reverse order. Redis and
 * Postgres may still be unreachable.
 * @throws the error of `listen` if the port is not available
 */
export async function createSendApi(
  context: ServiceContext<SendApiSettings>,
  waits = SEND_API_WAITS,
): Promise<RunningService> {
  const { settings, log, life, metrics: registry, tracing } = context;
  const metrics = createSendApiMetrics(registry);

  const { storeErrors } = metrics;
  const inbox = InboxDatabase.open({
    url: settings.databaseUrl,
    poolSize: settings.databaseConnections,
    log,
    onFault: () => storeErrors.inc({ store: 'postgres' }),
    waits: waits.database,
  });
  life.onStop('postgres', () => inbox.close());
  const redis = new RedisConnection(settings.redisUrl, log, waits.redis);
  redis.onFault(() => storeErrors.inc({ store: 'redis' }));
  life.onStop('redis', () => redis.close());
  const verifier = new TokenVerifier({ auth: settings.auth });
  life.onStop('tokens', () => verifier.close());

  const keys = new Keys(settings.redisPrefix);
  const gateways = new LiveGateways(redis, keys);
  const presence = new Presence(redis, keys, gateways);
  const notifier = new Notifier(redis, keys, presence);
  const offline = new OfflineList(redis, keys);
  const directory = new GatewayDirectory(redis, keys);
  const router = new Router(redis, keys, gateways, {
    max: settings.offlineListMax,
    ttlS: settings.offlineListTtlS,
  });

  const committer = new MessageCommitter({
    accept: (sends, lock) => acceptMessages(inbox, sends, lock),
    route: (accepted) => router.route(accepted),
    maxRecipients: settings.maxRecipients,
    waits,
    metrics,
    tracing,
    onRouteError: (error) => log.error('routing failed', { error }),
  });
  watchPendingSends(registry, () => committer.pending);
  const reads = createReadCommitter(inbox, waits.lockedRowMs);
  life.onStop('batches', async () => {
    await Promise.all([committer.idle(), reads.idle()]);
  });

  const janitor = createJanitor({
    purge: (limit) => purgeIdempotencyKeys(inbox, limit),
    onPurged: (count) => metrics.purgedKeys.inc(count),
    log,
  });
  life.onStop('janitor', () => janitor.stop());
  janitor.start();
  const { retentionDays = null } = settings;
  const partitionKeeper = createPartitionKeeper({
    keep: (signal) => keepPartitions(inbox, { retentionDays, signal }),
    onKept: ({ added, dropped, overdue }) => {
      metrics.partitionChanges.inc({ change: 'added' }, added);
      metrics.partitionChanges.inc({ change: 'dropped' }, dropped);
      metrics.partitionsOverdue.set(overdue);
    },
    log,
  });
  life.onStop('partitions', () => partitionKeeper.stop());
  partitionKeeper.start();

  const { rateLimitSends, maxBodyBytes } = settings;
  const SendMessage = defineSendMessage(settings);
  const inTime = <T>(work: Promise<T>): Promise<T> => answerWithin(waits.postgresMs, work);
  const endpoints = createEndpoints({
    authenticate: createAuthenticate(verifier),
    limiter: rateLimitSends > 0 ? new SendLimiter(redis, keys, rateLimitSends) : null,
    validate: dtoValidator(SendMessage),
    commit: (send) => committer.commit(send),
    findMessage: (id, user) => inTime(findMessage(inbox, id, user)),
    findReceipts: (id, sender) => inTime(findReceipts(inbox, id, sender)),
    reportDelivery: (id, query) => inTime(reportDelivery({ db: inbox, presence, offline }, id, query)),
    recordRead: (read) => inTime(reads.add(read)),
    publishReceipts: (news) => {
      for (const { status } of news) metrics.receipts.inc({ status });
      return notifier.publishReceipts(news);
    },
    readPage: (user, after, limit) => inTime(readInboxPage(inbox, { user, after, limit })),
    findOnline: (users) => presence.findOnline(users),
    findLastSeen: (users) => inTime(findLastSeen(inbox, users)),
    openApi: buildOpenApi({ SendMessage, limits: settings }),
    maxBodyBytes,
    metrics,
    tracing,
  });
  const app = createApp({
    endpoints,
    referencePage: createReferencePage(),
    allowedOrigins: settings.allowedOrigins,
    metrics,
    log,
  });
  const http = await HttpServer.listen({ app, port: settings.port, log });
  life.onStop('http', () => http.stop(settings.drainMs));

  return {
    port: http.port,
    readiness: () => readinessOf(inbox, redis),
    adminRoutes: [
      disconnectRoute((user, device) => notifier.publishDisconnect(user, device)),
      ...inspectorRoutes({ db: inbox, presence, offline, directory }, settings.adminToken),
    ],
  };
}

/** Postgres decides whether the service is ready. Without Redis everything but presence works, only slower. */
async function readinessOf(inbox: InboxDatabase, redis: RedisConnection): Promise<Readiness> {
  const [missing, isRedisThere] = await Promise.all([inbox.readiness(), redis.answers()]);
  return {
    ready: missing === null,
    missing: { ...missing },
    degraded: isRedisThere
      ? {}
      : { redis: 'Redis is unreachable: messages arrive up to RECONCILE_INTERVAL_MS late.' },
  };
}
