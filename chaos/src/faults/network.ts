import type { FaultCounts, FaultMode } from '@posthorn/testing';
import type { Edge, RedisKind } from '../world/chaos-world';
import type { EdgeProxy } from '../world/edge-proxy';
import { EVERY_KIND, type Fault } from './fault';

/** A way in which a link is bad, and the count of the proxy that shows it. */
interface LinkFault {
  name: string;
  what: string;
  mode: FaultMode;
  proof: (counts: FaultCounts) => number;
  unit: string;
  /** The shortest duration, in ms. */
  minMs: number;
  /** The mode for a link that carries many requests on one connection. */
  storeMode?: FaultMode;
}

/** A client that waits for a lost answer sends nothing else. */
const swallowed = {
  proof: (counts: FaultCounts) => counts.swallowedBytes,
  unit: 'bytes were lost',
  minMs: 3_000,
};
const held = { proof: (counts: FaultCounts) => counts.heldBytes, unit: 'bytes had to wait', minMs: 1_000 };

const LINK_FAULTS: readonly LinkFault[] = [
  {
    name: 'reset',
    what: 'resets all connections, including new ones',
    mode: 'reset',
    proof: (counts) => counts.cut + counts.refused,
    unit: 'connections were cut or refused',
    minMs: 1_000,
  },
  {
    name: 'blackhole',
    what: 'drops all bytes and keeps the connections open',
    mode: 'blackhole',
    ...swallowed,
  },
  {
    name: 'drop-requests',
    what: 'drops the bytes of requests',
    mode: 'drop-requests',
    ...swallowed,
  },
  {
    name: 'drop-replies',
    what: 'drops the bytes of replies',
    mode: 'drop-replies',
    ...swallowed,
  },
  {
    name: 'delay',
    what: 'delays everything by 200 ± 100 ms',
    mode: { delayMs: 200, jitterMs: 100 },
    ...held,
  },
  {
    name: 'throttle',
    what: 'has little bandwidth',
    mode: { bytesPerSecond: 8_192 },
    storeMode: { bytesPerSecond: 65_536 },
    ...held,
  },
  {
    name: 'cut',
    what: 'cuts each connection after some bytes',
    mode: { cutAfterBytes: 5_000 },
    storeMode: { cutAfterBytes: 50_000 },
    proof: (counts) => counts.cut,
    unit: 'connections were cut',
    minMs: 1_000,
  },
];

/** How often all links of an edge are hit instead of one. */
const ALL_SHARE = 0.5;

interface EdgeFaults {
  edge: Edge;
  /** The beginning of the ids. Every fault that makes Redis unavailable begins with `redis`. */
  prefix: string;
  kinds: readonly RedisKind[];
  isStore: boolean;
}

const EDGES: readonly EdgeFaults[] = [
  { edge: 'client-api', prefix: 'edge-client-api', kinds: EVERY_KIND, isStore: false },
  { edge: 'client-gateway', prefix: 'edge-client-gateway', kinds: EVERY_KIND, isStore: false },
  { edge: 'api-postgres', prefix: 'edge-api-postgres', kinds: EVERY_KIND, isStore: true },
  { edge: 'gateway-postgres', prefix: 'edge-gateway-postgres', kinds: EVERY_KIND, isStore: true },
  { edge: 'api-redis', prefix: 'redis-edge-api', kinds: ['single'], isStore: true },
  { edge: 'gateway-redis', prefix: 'redis-edge-gateway', kinds: ['single'], isStore: true },
];

/** Faults of the links between processes. */
export const networkFaults: readonly Fault[] = EDGES.flatMap((edge) =>
  LINK_FAULTS.map((link) => linkFault(edge, link)),
);

function linkFault({ edge, prefix, kinds, isStore }: EdgeFaults, link: LinkFault): Fault {
  const mode = (isStore ? link.storeMode : undefined) ?? link.mode;
  return {
    id: `${prefix}-${link.name}`,
    what: `The ${edge} link, of one process or of all, ${link.what}.`,
    kinds,
    minMs: link.minMs,
    maxMs: 8_000,
    inject: async (world, random) => {
      const all = world.edges(edge);
      const chosen = random.chance(ALL_SHARE) ? all : [random.pick(all)];
      const total = (): number => chosen.reduce((sum, { proxy }) => sum + link.proof(proxy.counts), 0);
      const before = total();
      setMode(chosen, mode);
      let after = before;
      return {
        target: chosen.map(({ label }) => label).join(', '),
        heal: async () => {
          after = total();
          setMode(chosen, 'pass');
          // A connection that lost bytes stays silent for good. Clients are cut so that they notice at once; the
          // services must find out.
          if (!isStore && isHole(mode)) for (const { proxy } of chosen) proxy.cut();
        },
        effect: async () => {
          const count = Math.max(after, total()) - before;
          return count > 0 ? `${count} ${link.unit}` : null;
        },
      };
    },
  };
}

/** Whether such a link loses bytes. */
function isHole(mode: FaultMode): boolean {
  return mode === 'blackhole' || mode === 'drop-requests' || mode === 'drop-replies';
}

function setMode(edges: readonly EdgeProxy[], mode: FaultMode): void {
  for (const { proxy } of edges) proxy.mode = mode;
}
