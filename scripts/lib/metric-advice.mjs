/** What an operator does with each metric. A reference without advice for one of them cannot be written. */

/** Registered only in the primary of `WORKERS` above 1, so no registry here holds it. */
export const primaryMetric = {
  name: 'posthorn_worker_restarts_total',
  type: 'counter',
  labels: [],
  help: 'Workers that ended unasked and were started again (with `WORKERS` above 1 only).',
};

export const metricAdvice = {
  posthorn_info: 'Tells the services apart in a dashboard.',
  posthorn_worker_restarts_total: 'Above 0: look for `worker ended, another one follows` in the log.',

  posthorn_sends_total:
    'The service level: `unavailable`, `overloaded` and `error` against `accepted` and `replayed`.',
  posthorn_message_recipients: 'Shows whether fan-out or the number of messages makes the load.',
  posthorn_commit_seconds:
    'The larger part of a send. When it rises, look at Postgres: its disk, then its locks.',
  posthorn_commit_batch_messages:
    'Near its largest bucket: Postgres is the bottleneck, and batches grow to keep up.',
  posthorn_route_seconds: 'Near 0.3 s: Redis is slow or out of reach, and sends take that much longer.',
  posthorn_routed_entries_total:
    '`unknown` is what reconcile has to find: 0 while Redis is well. `published` against `listed` shows who is online.',
  posthorn_http_requests_total: 'Rates and shares of statuses by route.',
  posthorn_purged_idempotency_keys_total: 'Should rise about as the keyed sends of the day before did.',
  posthorn_partition_changes_total: 'A few a week at most; `dropped` stays 0 without `RETENTION_DAYS`.',
  posthorn_partitions_overdue: 'Above 0 for hours: the log says what keeps send-api from it.',
  posthorn_pending_sends:
    'Rising without end: Postgres cannot keep up; at the bound sends get 503 `overloaded`.',

  posthorn_connections: 'The load of a gateway; alert on a drop that no deploy explains.',
  posthorn_buffered_bytes:
    'Memory that slow clients hold. With `MAX_BUFFERED_BYTES` it says how many are slow.',
  posthorn_in_flight_messages: 'Sent and not acknowledged; rises when clients stop acknowledging.',
  posthorn_full_windows: 'Clients that do not acknowledge: for them delivery stands still until they do.',
  posthorn_deliveries_total:
    '`live` came by pub/sub, `list` from Redis, `postgres` from the inbox. Much `postgres` without reconnects: Redis loses things.',
  posthorn_delivery_lag_seconds:
    'What users feel. Compare the clocks of the machines before you believe a constant offset.',
  posthorn_skipped_entries_total:
    'Devices that were away longer than `RETENTION_DAYS`. Without it, rows have been lost: find out who deleted them.',
  posthorn_gap_fills_total: 'Pub/sub out of order or lossy; each costs a query, nothing else.',
  posthorn_reconcile_repairs_total:
    'Should stay 0 while nothing fails. Rising without a fault of Redis: routing is broken, and only reconcile delivers.',
  posthorn_upgrades_total: 'Refused connects by status: 401 tokens, 403 origins, 429 too many, 503 a store.',
  posthorn_closes_total:
    '4408 and 4413 are networks and slow clients, 4401 clients that let tokens end, 1013 a limit too low.',
  posthorn_bad_frames_total: 'Clients in need of mending: the code says in what.',
  posthorn_acks_total:
    '`unavailable` is Postgres; `refused` are acknowledgements of connections that were taken over, or of inboxes before a restore.',
  posthorn_receipts_total: 'Delivered and read messages, each recipient once.',
  posthorn_dropped_receipt_frames_total:
    'News that senders got only from `GET /v1/messages/ID/receipts`. Rises when Redis is away.',
  posthorn_incomplete_messages_total:
    'Above 0: somebody wrote to the database past send-api. The log names the messages: mend their rows.',
  posthorn_rubbish_notices_total: 'Above 0: something else publishes to our channels, or versions are mixed.',
  posthorn_trimmed_entries_total:
    'Should rise while offline lists are used; otherwise they end by their cap and life alone.',
  posthorn_store_errors_total:
    'Any rate above 0 is a store that is slow or out of reach; the label says which.',
};
