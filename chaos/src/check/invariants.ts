import type { Invariant } from './verdict';

/** The requirements of each invariant, as shown in docs/chaos.md. */
export const invariants: Readonly<Record<Invariant, string>> = {
  'no loss':
    'Every accepted message reached every device of every recipient, and a new device that reads the inbox from the start.',
  'no phantom':
    'Each delivered message was sent with this content by this sender and was not refused. Only the sender sees the other recipients.',
  'no misdelivery': 'Messages reached their recipients only, and receipts their sender only.',
  'sequence agreement':
    'A `seq` of an inbox means one message, on every connection and in Postgres. An inbox runs from 1 to its newest `seq` without a hole.',
  idempotency: 'A key made one message with one 201. Another body with the same key was refused.',
  order:
    '`seq` rises by one on a connection. A message answered before another send began comes first. Nothing comes at or below the cursor.',
  'no silent gap': 'Before `caughtUp`, every waiting message had arrived.',
  receipts:
    'Each delivered or read receipt follows an acknowledgement or a read of the recipient. Each `ok` is stored, times do not change, and frames match the store.',
  store:
    'Postgres holds every accepted message and some with an unknown answer, none that was refused, and each with exactly its recipients.',
  sessions: 'No frame comes before the welcome or after the close.',
  liveness:
    'A connected device gets accepted messages at once. After a fault it gets them within the reconcile interval and 2 s, without a reconnect.',
  'clean end':
    'After all devices have left, presence, connections and unsent bytes are 0, lists keep their cap, and every service exits with 0.',
  processes: 'No process ended on its own, and none logged an uncaught error.',
  'cursor safety':
    'A device starts where it acknowledged: never below its last `ok`, never above its last `ack`. It received everything its cursor passed.',
};
