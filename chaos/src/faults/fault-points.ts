import type { Random } from '../random';
import type { Mutation } from '../world/chaos-world';
import { seen } from './evidence';
import type { Fault } from './fault';
import { type Role, SERVICES } from './slots';
import { type Variant, variantFault } from './variant-fault';

/** A place in the code of a service that many requests pass. */
interface FaultPoint {
  /** The end of the id. */
  name: string;
  /** Continues the sentence "One gateway is killed". */
  where: string;
  role: Role;
  file: string;
  /** A statement of the build. The point is before or after it. */
  statement: string;
  side: 'before' | 'after';
  /** The share of passes that stall. It is higher for points with few passes. */
  stallShare: number;
}

const POINTS: readonly FaultPoint[] = [
  {
    name: 'before-routing',
    where: 'after it committed messages and before it routes them',
    role: 'api',
    file: 'services/send-api/dist/messages/message-committer.js',
    statement: 'const outcomes = await accept(sends, lock).finally(stopTimer);',
    side: 'after',
    stallShare: 0.1,
  },
  {
    name: 'before-claim',
    where: 'after it announced the presence of a connection and before it claims the device',
    role: 'gateway',
    file: 'services/ws-gateway/dist/connect/connect-steps.js',
    statement: 'connect.claimed = await claims.claim({ claim, connect }).catch(refuseOutage);',
    side: 'before',
    stallShare: 0.5,
  },
  {
    name: 'before-sending',
    where: 'after it read an offline list and before it sends the entries',
    role: 'gateway',
    file: 'services/ws-gateway/dist/arrivals/entry-fetcher.js',
    statement: 'const entries = await this.#readList(session, want);',
    side: 'after',
    stallShare: 0.5,
  },
  {
    name: 'before-ack-commit',
    where: 'before it commits acknowledgements',
    role: 'gateway',
    file: 'services/ws-gateway/dist/acknowledge/ack-moves.js',
    statement: 'const results = await (0, inbox_1.moveCursors)(db, moves, lockWaitMs);',
    side: 'before',
    stallShare: 0.1,
  },
  {
    name: 'before-ok',
    where: 'after it committed acknowledgements and before it answers them',
    role: 'gateway',
    file: 'services/ws-gateway/dist/acknowledge/ack-moves.js',
    statement: 'teller.tell(results.flatMap(({ news }) => news));',
    side: 'before',
    stallShare: 0.1,
  },
];

/** The fault must not disturb the start itself. */
const FROM_UPTIME_MS = [2_000, 3_500] as const;
const STALL_MS = [2_000, 3_000] as const;

/** Processes that end or stall at a certain place. */
export const pointVariants: readonly Variant[] = [
  ...POINTS.flatMap((point) => [killAt(point), stallAt(point)]),
  block('api'),
  block('gateway'),
  throwInTimer('api'),
  throwInTimer('gateway'),
];

/** Faults at a certain place in the code. They are added when the code is loaded, so the code does not know of them. */
export const pointFaults: readonly Fault[] = pointVariants.map((variant) => variantFault(variant));

/** The process ends itself like by SIGKILL. */
function killAt(point: FaultPoint): Variant {
  return {
    id: `${point.role}-kill-${point.name}`,
    what: `One ${SERVICES[point.role]} is killed ${point.where}.`,
    role: point.role,
    mutation: (_mark, random) => insert(point, `if (${isOn(random)}) process.kill(process.pid, 'SIGKILL');`),
    effectOf: (_mark, exit) => seen(exit?.signal === 'SIGKILL', 'it ended there by SIGKILL'),
  };
}

/** Some of the passes wait, and everything else continues. */
function stallAt(point: FaultPoint): Variant {
  return {
    id: `${point.role}-stall-${point.name}`,
    what: `One ${SERVICES[point.role]} sometimes stalls ${point.where}.`,
    role: point.role,
    mutation: (mark, random) =>
      insert(
        point,
        `if (${isOn(random)} && Math.random() < ${point.stallShare}) {
          ${mark.code}
          await new Promise((resolve) => setTimeout(resolve, ${random.int(...STALL_MS)}));
        }`,
      ),
    effectOf: (mark) => seen(mark.count() > 0, `it stalled there ${mark.count()} times`),
  };
}

function block(role: Role): Variant {
  return {
    id: `${role}-block`,
    what: `The event loop of one ${SERVICES[role]} is blocked for 2 to 3 s, again and again.`,
    role,
    mutation: (mark, random) => {
      const blockMs = random.int(...STALL_MS);
      return atStart(
        role,
        `setInterval(() => {
          const end = performance.now() + ${blockMs};
          while (performance.now() < end);
          ${mark.code}
        }, ${blockMs + random.int(1_000, 2_000)}).unref();`,
      );
    },
    effectOf: (mark) => seen(mark.count() > 0, `it was busy ${mark.count()} times`),
  };
}

/** The process must log the error, stop as it does on a signal, and exit with 1. */
function throwInTimer(role: Role): Variant {
  return {
    id: `${role}-throw`,
    what: `A timer of one ${SERVICES[role]} throws an error that nobody catches.`,
    role,
    mutation: (_mark, random) =>
      atStart(
        role,
        `setTimeout(() => { throw new Error('thrown on purpose'); }, ${random.int(...FROM_UPTIME_MS)}).unref();`,
      ),
    effectOf: (_mark, exit) => seen(exit?.code === 1, 'it ended with 1'),
  };
}

function insert({ file, statement, side }: FaultPoint, code: string): Mutation {
  return {
    file,
    find: statement,
    replace: side === 'before' ? `${code} ${statement}` : `${statement} ${code}`,
  };
}

/** Runs `code` after the first line of a build. */
function atStart(role: Role, code: string): Mutation {
  const service = role === 'api' ? 'send-api' : 'ws-gateway';
  const find = 'Object.defineProperty(exports, "__esModule", { value: true });';
  return { file: `services/${service}/dist/main.js`, find, replace: `${find} ${code}` };
}

/** An expression that becomes true some time after the start of the process. */
function isOn(random: Random): string {
  return `process.uptime() > ${random.int(...FROM_UPTIME_MS) / 1_000}`;
}
