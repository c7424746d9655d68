/** What an operator does with each metric. The reference cannot be written if a metric has no advice. */

/** Only the primary registers it, with `WORKERS` above 1. So the registries here do not contain it. */
export const primaryMetric = {
  name: 'posthorn_worker_restarts_total',
  type: 'counter',
  labels: [],
  help: 'Workers that ended on their own and were restarted (only with `WORKERS` above 1).',
};

export const metricAdvice = {
  posthorn_info: 'Distinguishes the services in a dashboard.',
  posthorn_worker_restarts_total: 'Above 0: search the log for `worker ended, another one follows`.',

  posthorn_sends_total:
    'Your service level: compare `unavailable`, `overloaded` and `error` with `accepted` and `replayed`.',
  posthorn_message_recipients: 'Shows whether many recipients or many messages cause the load.',
  posthorn_commit_seconds:
    'The larger part of a send. If it rises, check Postgres: first its disk, then its locks.',
  posthorn_commit_batch_messages: 'Near its largest bucket: Postgres is the bottleneck, so batches grow.',
  posthorn_route_seconds: 'Near 0.3 s: Redis is slow or unreachable, and each send takes that much longer.',
  posthorn_routed_entries_total:
    '`unknown` is 0 while Redis is well; reconcile delivers these entries. `published` and `listed` show how many recipients are online.',
  posthorn_http_requests_total: 'Shows rates, and the share of each status, by route.',
  posthorn_purged_idempotency_keys_total: 'Should rise like the sends with keys of the previous day.',
  posthorn_partition_changes_total: 'At most a few a week. `dropped` stays 0 without `RETENTION_DAYS`.',
  posthorn_partitions_overdue:
    'Above 0 for hours: search the log for `partitions not kept`, which has the reason.',
  posthorn_pending_sends:
    'Rises without end: Postgres cannot keep up. At the limit sends get 503 `overloaded`.',

  posthorn_connections: 'The load of a gateway. Alert on a drop that no deploy explains.',
  posthorn_buffered_bytes:
    'Memory that slow clients hold. Divide it by `MAX_BUFFERED_BYTES` to estimate how many are slow.',
  posthorn_in_flight_messages: 'Rises when clients stop acknowledging.',
  posthorn_full_windows: 'These clients do not acknowledge, and get nothing new until they do.',
  posthorn_deliveries_total:
    '`live`: by pub/sub. `list`: from the offline list. `postgres`: from the inbox. Much `postgres` without reconnects: Redis loses data.',
  posthorn_delivery_lag_seconds:
    'The delay that users notice. If it is constant, first compare the clocks of the machines.',
  posthorn_skipped_entries_total:
    'Devices were away longer than `RETENTION_DAYS`. Without that setting, rows are lost: find out who deleted them.',
  posthorn_gap_fills_total: 'Pub/sub lost or reordered notices. Each hole costs one query and nothing else.',
  posthorn_reconcile_repairs_total:
    'Stays 0 while nothing fails. If it rises while Redis is well, routing is broken and only reconcile delivers.',
  posthorn_upgrades_total:
    'Shows why connects are refused: 401 tokens, 403 origins, 429 too many connections, 503 a store.',
  posthorn_closes_total:
    '4408: networks. 4413: slow clients. 4401: expired tokens. 1013: `MAX_CONNECTIONS_PER_USER` is too low.',
  posthorn_bad_frames_total: 'Clients have a bug. The code says which.',
  posthorn_acks_total:
    '`unavailable`: Postgres. `refused`: from connections that were taken over, or from before a restore.',
  posthorn_receipts_total: 'Counts each recipient of a message once as delivered and once as read.',
  posthorn_dropped_receipt_frames_total:
    'Senders find these receipts only with `GET /v1/messages/ID/receipts`. Rises while Redis is unreachable.',
  posthorn_incomplete_messages_total:
    'Above 0: something other than send-api wrote to the database. The log names the messages: correct their rows.',
  posthorn_rubbish_notices_total:
    'Above 0: another program publishes to our channels, or versions are mixed.',
  posthorn_trimmed_entries_total:
    'Rises while offline lists are used. If it does not, lists shrink only by their cap and lifetime.',
  posthorn_store_errors_total: 'Any rate above 0: a store is slow or unreachable. The label says which.',
};
