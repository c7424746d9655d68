import { seen } from './evidence';
import { EVERY_KIND, type Fault } from './fault';
import { ROLES, type Role, restart, restartAs, revive, SERVICES, slotsOf } from './slots';
import { suspend } from './suspend';

const HOUR_MS = 3_600_000;
/** Tolerance for the start time of a process, which its metric reports in whole seconds. */
const CLOCK_TOLERANCE_MS = 60_000;
/** Longer than a gateway's lease of 10 s. */
const BEYOND_LEASE = { minMs: 12_000, maxMs: 14_000 };
const WITHIN_LEASE = { minMs: 1_000, maxMs: 6_000 };

/** Faults of the services' processes. */
export const serviceFaults: readonly Fault[] = [
  ...ROLES.flatMap((role) => [
    kill(role),
    rollingRestart(role),
    clockSkew(role, 'ahead'),
    clockSkew(role, 'behind'),
  ]),
  hang('api-hang', 'api', 'a while', { minMs: 1_000, maxMs: 6_000 }),
  hang('gateway-hang', 'gateway', 'less than its lease lasts', WITHIN_LEASE),
  hang('gateway-hang-beyond-lease', 'gateway', 'longer than its lease lasts', BEYOND_LEASE),
];

function kill(role: Role): Fault {
  return {
    id: `${role}-kill`,
    what: `One ${SERVICES[role]} is killed with SIGKILL and restarted a moment later.`,
    kinds: EVERY_KIND,
    minMs: 300,
    maxMs: 4_000,
    inject: async (world, random) => {
      const slot = random.pick(slotsOf(world, role));
      const { pid } = slot;
      const ended = slot.exited();
      slot.kill('SIGKILL');
      const { signal } = await ended;
      return {
        target: slot.label,
        heal: () => revive(slot),
        effect: async () => seen(pid !== null && signal === 'SIGKILL', `process ${pid} ended by SIGKILL`),
      };
    },
  };
}

function hang(id: string, role: Role, howLong: string, duration: { minMs: number; maxMs: number }): Fault {
  return {
    id,
    what: `One ${SERVICES[role]} is paused with SIGSTOP for ${howLong}.`,
    kinds: EVERY_KIND,
    ...duration,
    inject: async (world, random) => {
      const slot = random.pick(slotsOf(world, role));
      return await suspend({
        label: slot.label,
        ask: () => slot.metric('posthorn_info'),
        signal: (signal) => slot.kill(signal),
        revive: () => revive(slot),
      });
    },
  };
}

/** Its duration is that of the restarts: when it has been injected, the last restart is over. */
function rollingRestart(role: Role): Fault {
  return {
    id: `${role}-rolling-restart`,
    what: `Every ${SERVICES[role]} in turn is stopped with SIGTERM and restarted.`,
    kinds: EVERY_KIND,
    minMs: 0,
    maxMs: 0,
    inject: async (world) => {
      const slots = slotsOf(world, role);
      const codes: (number | null)[] = [];
      for (const slot of slots) {
        if (slot.pid !== null) codes.push((await slot.stop()).code);
        await revive(slot);
      }
      const areClean = codes.length === slots.length && codes.every((code) => code === 0);
      return {
        target: slots.map(({ label }) => label).join(', '),
        heal: async () => {
          for (const slot of slots) await revive(slot);
        },
        effect: async () => seen(areClean, `exit codes ${codes.join(', ')}`),
      };
    },
  };
}

/** Tokens must live longer than the skew. Otherwise they would fail instead. */
function clockSkew(role: Role, direction: 'ahead' | 'behind'): Fault {
  const clockSkewMs = direction === 'ahead' ? HOUR_MS : -HOUR_MS;
  return {
    id: `${role}-clock-${direction}`,
    what: `The clock of one ${SERVICES[role]} is an hour ${direction}.`,
    kinds: EVERY_KIND,
    minMs: 3_000,
    maxMs: 8_000,
    inject: async (world, random) => {
      const slot = random.pick(slotsOf(world, role));
      await restartAs(slot, { clockSkewMs });
      const startedAtS = await slot.metric('process_start_time_seconds');
      const offByMs = startedAtS === null ? 0 : startedAtS * 1_000 - Date.now();
      return {
        target: slot.label,
        heal: () => restart(slot),
        effect: async () =>
          seen(
            Math.abs(offByMs - clockSkewMs) < CLOCK_TOLERANCE_MS,
            `says it started ${Math.round(offByMs / 1_000)} s from now`,
          ),
      };
    },
  };
}
