import type { ServiceName } from '@posthorn/stack';
import type { Invariant, Verdict } from '../check/verdict';
import type { Mutation } from '../world/chaos-world';

/** A bug made on purpose, to show that the check notices it. */
export interface SeededBug {
  /** What is wrong, in a few words. */
  name: string;
  /** The services that start with the mutations; none if `sql` is the whole bug. */
  services?: readonly ServiceName[];
  mutations?: readonly Mutation[];
  /** Runs once on the database before the services start. */
  sql?: string;
  /** The invariants that the check must find broken. Others may be broken too. */
  expected: readonly Invariant[];
  /** The faults that make the bug visible. If the list is missing, it is visible in a run without faults. */
  faults?: readonly string[];
}

const ACCEPT = 'libs/inbox/dist/statements/commit-sends.js';
const ACKS = 'services/ws-gateway/dist/acknowledge/ack-committer.js';
const DELIVERY = 'services/ws-gateway/dist/session/delivery.js';
const HOST = 'services/ws-gateway/dist/holding/gateway-host.js';
const RECONCILER = 'services/ws-gateway/dist/arrivals/reconciler.js';
const SESSION = 'services/ws-gateway/dist/session/session.js';

const SEND_ENTRY =
  'transport.send((0, protocol_1.encodeMessageFrame)(next.seq, next.messageJson, next.isIncomplete));';

/** Reconcile repairs every loss on the way through Redis, so such a bug is visible only without it. */
const WITHOUT_RECONCILE: Mutation = {
  file: RECONCILER,
  find: '#repair(session, newest) {',
  replace: '#repair(session, newest) { return;',
};

/** Positions come from a separate transaction, as from a serial. */
function positionsBeforeCommit(stall: string): Mutation[] {
  return [
    {
      file: ACCEPT,
      find: 'const rows = await db.run(ACCEPT, [',
      replace: `
        const totals = new Map();
        for (const { user } of pairs) totals.set(user, (totals.get(user) ?? 0) + 1);
        const positions = await db.run({
          name: 'give-out-positions',
          text: \`
            INSERT INTO inbox (user_id, newest_seq)
            SELECT * FROM unnest($1::text[], $2::bigint[]) AS c (user_id, total) ORDER BY user_id COLLATE "C"
            ON CONFLICT (user_id) DO UPDATE SET newest_seq = inbox.newest_seq + EXCLUDED.newest_seq
            RETURNING user_id, newest_seq\`,
        }, [[...totals.keys()], [...totals.values()]]);
        ${stall}
        const rows = await db.run(ACCEPT, [`,
    },
    {
      file: ACCEPT,
      find: 'String(thenMs),',
      replace: `String(thenMs),
        positions.map((row) => row.user_id),
        positions.map((row) => row.newest_seq),`,
    },
    {
      file: ACCEPT,
      find: `
      INSERT INTO inbox (user_id, newest_seq)
      SELECT user_id, total FROM place WHERE nth = 1
      ORDER BY user_id
      ON CONFLICT (user_id) DO UPDATE SET newest_seq = inbox.newest_seq + EXCLUDED.newest_seq
      RETURNING user_id, newest_seq
    )`,
      replace: `
      SELECT user_id COLLATE "C" AS user_id, newest_seq
      FROM unnest($13::text[], $14::bigint[]) AS c (user_id, newest_seq))`,
    },
  ];
}

/** At least one bug for every invariant that the code can break. */
export const seededBugs: readonly SeededBug[] = [
  {
    name: 'every 100th inbox entry is left out',
    services: ['send-api'],
    mutations: [
      {
        file: ACCEPT,
        find: '.flatMap((send, index) => send.to.map((user) => ({ user, index })))',
        replace: `.flatMap((send, index) => send.to.map((user) => ({ user, index })))
          .filter(() => (globalThis.entryCount = (globalThis.entryCount ?? 0) + 1) % 100 !== 0)`,
      },
    ],
    expected: ['no loss', 'store'],
  },
  {
    name: 'every 50th message is counted as sent but not sent',
    services: ['ws-gateway'],
    mutations: [{ file: SESSION, find: SEND_ENTRY, replace: `if (next.seq % 50 !== 0) ${SEND_ENTRY}` }],
    expected: ['no loss', 'order', 'cursor safety'],
  },
  {
    name: 'nothing is routed, and reconcile finds nothing',
    services: ['send-api', 'ws-gateway'],
    mutations: [
      {
        file: 'services/send-api/dist/messages/message-committer.js',
        find: 'const routed = accepted.length === 0 ? NOTHING_TO_ROUTE : this.#route(accepted);',
        replace: 'const routed = NOTHING_TO_ROUTE;',
      },
      WITHOUT_RECONCILE,
    ],
    expected: ['liveness'],
  },
  {
    name: 'a message goes to every connected user',
    services: ['ws-gateway'],
    mutations: [
      {
        file: 'services/ws-gateway/dist/arrivals/notices.js',
        find: 'const sessions = table.of(user);',
        replace: 'const sessions = [...table.all()];',
      },
    ],
    expected: ['no misdelivery', 'sequence agreement'],
  },
  {
    name: 'two frames change places',
    services: ['ws-gateway'],
    mutations: [
      {
        file: SESSION,
        find: SEND_ENTRY,
        replace: `
          const waits = this.heldBack;
          this.heldBack = undefined;
          if (waits === undefined && next.seq % 20 === 0) this.heldBack = next;
          else ${SEND_ENTRY}
          if (waits !== undefined) transport.send((0, protocol_1.encodeMessageFrame)(waits.seq, waits.messageJson));`,
      },
    ],
    expected: ['order'],
  },
  {
    name: 'each message is written twice',
    services: ['ws-gateway'],
    mutations: [{ file: SESSION, find: SEND_ENTRY, replace: `${SEND_ENTRY} ${SEND_ENTRY}` }],
    expected: ['order'],
  },
  {
    name: 'positions are given out before the commit, and a failed commit leaves a hole',
    services: ['send-api'],
    mutations: positionsBeforeCommit(''),
    expected: ['sequence agreement', 'liveness'],
  },
  {
    name: 'positions are given out before the commit, and the gateway passes over holes',
    services: ['send-api', 'ws-gateway'],
    mutations: [
      ...positionsBeforeCommit(
        'if (Math.random() < 0.05) await new Promise((resolve) => setTimeout(resolve, 500));',
      ),
      {
        file: DELIVERY,
        find: 'const next = this.#ahead?.get(this.#sent + 1);',
        replace: 'const next = this.#ahead?.get(Math.min(...this.#ahead.keys()));',
      },
    ],
    expected: ['cursor safety', 'no loss', 'order'],
  },
  {
    name: 'entries that have not arrived yet are reported as skipped',
    services: ['ws-gateway'],
    mutations: [
      {
        file: DELIVERY,
        find: 'want() {',
        replace: `want() {
          const first = Math.min(...(this.#ahead?.keys() ?? []));
          if (Number.isFinite(first)) this.skip({ from: this.#sent + 1, to: first - 1 });`,
      },
    ],
    expected: ['order', 'no loss'],
  },
  {
    name: 'sending moves the cursor',
    services: ['ws-gateway'],
    mutations: [
      {
        file: SESSION,
        find: 'if (this.isAutoAck && delivery.sent > sentBefore)',
        replace: 'if (delivery.sent > sentBefore)',
      },
    ],
    expected: ['cursor safety', 'receipts', 'no loss'],
  },
  {
    name: 'an acknowledgement is answered before its commit',
    services: ['ws-gateway'],
    mutations: [
      {
        file: ACKS,
        find: 'const { isHolder, cursor } = await moves.add(move);',
        replace: `
          const [isHolder, cursor] = [true, move.seq];
          setTimeout(() => moves.add(move).catch(() => undefined), 300);`,
      },
    ],
    expected: ['cursor safety', 'order'],
    faults: ['gateway-kill'],
  },
  {
    name: 'a timer marks messages as read',
    services: ['ws-gateway'],
    mutations: [
      {
        file: 'services/ws-gateway/dist/ws-gateway.js',
        find: 'const recorder = new read_recorder_1.ReadRecorder(db, teller, metrics, log);',
        replace: `const recorder = new read_recorder_1.ReadRecorder(db, teller, metrics, log);
          const text = 'UPDATE receipt SET read_at = now() WHERE read_at IS NULL AND random() < 0.05';
          setInterval(() => db.run({ name: 'mark-as-read', text }, []).catch(() => undefined), 1_000).unref();`,
      },
    ],
    expected: ['receipts'],
  },
  {
    name: 'receipts go to the recipient',
    services: ['ws-gateway'],
    mutations: [
      {
        file: 'services/ws-gateway/dist/receipts/receipt-news.js',
        find: 'for (const session of this.#table.of(sender)) {',
        replace: 'for (const session of this.#table.of(user)) {',
      },
    ],
    expected: ['no misdelivery'],
  },
  {
    name: 'a recipient sees the other recipients',
    services: ['ws-gateway'],
    mutations: [
      {
        file: 'libs/inbox/dist/statements/read-entries.js',
        find: 'CASE WHEN m.sender = asked.user_id THEN m.recipients END AS recipients',
        replace: 'm.recipients',
      },
    ],
    expected: ['no phantom'],
  },
  {
    name: 'caughtUp comes with the welcome',
    services: ['ws-gateway'],
    mutations: [
      {
        file: SESSION,
        find: "if (this.#state === 'draining' && delivery.sent >= this.#caughtUpAt) {",
        replace: "if (this.#state === 'draining') {",
      },
    ],
    expected: ['no silent gap'],
  },
  {
    name: 'frames come before the welcome',
    services: ['ws-gateway'],
    mutations: [
      {
        file: SESSION,
        find: "this.#state = 'draining';",
        replace: "this.#state = 'draining'; this.pump();",
      },
    ],
    expected: ['sessions'],
  },
  {
    name: 'idempotency keys are not unique',
    sql: 'ALTER TABLE idempotency_key DROP CONSTRAINT idempotency_key_pkey',
    expected: ['idempotency'],
  },
  {
    name: 'a device that leaves removes the presence of the other devices, and reconcile finds nothing',
    services: ['ws-gateway'],
    mutations: [
      {
        file: HOST,
        find: 'void presence.announce(session.user);',
        replace: 'void presence.withdraw(session.user);',
      },
      {
        file: 'services/ws-gateway/dist/holding/presence-keeper.js',
        find: 'async reassert() {',
        replace: `async withdraw(user) {
          const { presence, gateway } = this.#options;
          await presence.hold(gateway, [{ user, count: 0 }]).catch(() => undefined);
        }
        async reassert() {`,
      },
      WITHOUT_RECONCILE,
    ],
    expected: ['liveness'],
  },
  {
    name: 'a device that leaves stays present',
    services: ['ws-gateway'],
    mutations: [{ file: HOST, find: 'void presence.announce(session.user);', replace: '' }],
    expected: ['clean end'],
  },
  {
    name: 'inbox entries are committed after their message',
    services: ['send-api'],
    mutations: [
      {
        file: ACCEPT,
        find: `
      INSERT INTO inbox_entry (user_id, seq, message_id)
      SELECT user_id, newest[inbox] - total + nth, message_id
      FROM place, (SELECT array_agg(newest_seq ORDER BY user_id) AS newest FROM counter) AS counters
      RETURNING user_id, seq, message_id
    )`,
        replace: `
      SELECT user_id, newest[inbox] - total + nth AS seq, message_id
      FROM place, (SELECT array_agg(newest_seq ORDER BY user_id) AS newest FROM counter) AS counters
    )`,
      },
      {
        file: ACCEPT,
        find: 'const rowsById = new Map();',
        replace: `
          await new Promise((resolve) => setTimeout(resolve, 20));
          await db.run({
            name: 'fan-out',
            text: \`
              INSERT INTO inbox_entry (user_id, seq, message_id)
              SELECT * FROM unnest($1::text[], $2::bigint[], $3::uuid[])\`,
          }, [rows.map((row) => row.user_id), rows.map((row) => row.seq), rows.map((row) => row.message_id)]);
          const rowsById = new Map();`,
      },
    ],
    expected: ['store', 'sequence agreement'],
    faults: ['api-kill'],
  },
  {
    name: 'a crash of Postgres empties the inboxes',
    sql: 'ALTER TABLE inbox SET UNLOGGED; ALTER TABLE inbox_entry_from_start SET UNLOGGED',
    // The services would see this bug and not become ready.
    services: ['send-api', 'ws-gateway'],
    mutations: [
      {
        file: 'libs/inbox/dist/database/durability.js',
        find: 'if (unlogged.length > 0) {',
        replace: 'if (unlogged.length > 99) {',
      },
    ],
    expected: ['store', 'no loss'],
    faults: ['postgres-kill'],
  },
];

/** Whether the check found everything broken that this bug breaks. */
export function isExpected({ expected }: SeededBug, { violations }: Pick<Verdict, 'violations'>): boolean {
  return expected.every((wanted) => violations.some(({ invariant }) => invariant === wanted));
}
