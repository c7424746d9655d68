import type { Invariant } from './verdict';

/** What the check of a history demands, invariant by invariant; docs/chaos.md shows it. */
export const invariants: Readonly<Record<Invariant, string>> = {
  'no loss':
    'Every acknowledged message reached every device of every recipient, and a new device that reads the inbox from its start.',
  'no phantom':
    'Whatever was delivered was sent, with this content, by this sender, and was not refused; only the sender sees who else got it.',
  'no misdelivery': 'Messages came to their recipients only, receipts to their sender only.',
  'sequence agreement':
    'A `seq` of an inbox means one message, on every connection and in Postgres; an inbox is 1 to its newest, without a hole.',
  idempotency: 'A key made one message, with one 201; another body under it was refused.',
  order:
    '`seq` rises by one on a connection; what was answered before another send began comes before it; nothing comes at or below the cursor.',
  'no silent gap': 'At `caughtUp` everything that waited had come.',
  receipts:
    'Delivered was acknowledged and read was read, by the recipient; each `ok` is stored, times do not change, and frames say what is stored.',
  store:
    'Postgres holds what was acknowledged and some of what is unknown, nothing that was refused, each with exactly its recipients.',
  sessions: 'Nothing comes before the welcome or after the close.',
  liveness:
    'Who is connected gets what is acknowledged at once, and within the reconcile interval and 2 s of the end of a fault, without doing anything for it.',
  'clean end':
    'When everybody has left nobody is online, nothing is held, lists keep their cap, and every service exits with 0.',
  processes: 'No process ended unasked, and none wrote of an uncaught error.',
  'cursor safety':
    'A device starts where it acknowledged, never beyond, never below what was answered with `ok`.',
};
