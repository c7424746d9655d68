import { isSilent, seen } from './evidence';
import { EVERY_KIND, type Fault } from './fault';
import { sessionFaults } from './postgres-sessions';
import { signalIfThere } from './signal-if-there';
import { suspend } from './suspend';

const LABEL = 'postgres';

/** Stops Postgres. The healing starts it again. */
function restart(id: string, mode: 'fast' | 'immediate' | 'kill', what: string): Fault {
  return {
    id,
    what,
    kinds: EVERY_KIND,
    minMs: 0,
    maxMs: 4_000,
    inject: async ({ postgres }) => {
      const [before] = postgres.pids();
      await postgres.stop(mode);
      const fellSilent = await isSilent(() => postgres.query('SELECT 1'));
      return {
        target: LABEL,
        heal: () => postgres.start(),
        effect: async () =>
          seen(before !== undefined && fellSilent, `process ${before} ended, and nothing answered`),
      };
    },
  };
}

const hang: Fault = {
  id: 'postgres-hang',
  what: 'All processes of Postgres are paused with SIGSTOP and continue later.',
  kinds: EVERY_KIND,
  minMs: 2_000,
  maxMs: 6_000,
  inject: async ({ postgres }) => {
    return await suspend({
      label: LABEL,
      ask: () => postgres.query('SELECT 1'),
      signal: (signal) => {
        // Stop the postmaster first, so that no new processes start.
        const [postmaster] = postgres.pids();
        if (postmaster !== undefined) signalIfThere(postmaster, signal);
        for (const pid of postgres.pids()) signalIfThere(pid, signal);
      },
      revive: () => postgres.start(),
    });
  },
};

/** Faults of Postgres. */
export const postgresFaults: readonly Fault[] = [
  restart('postgres-restart-fast', 'fast', 'Postgres shuts down cleanly and is restarted.'),
  restart('postgres-restart-immediate', 'immediate', 'Postgres crashes and is restarted.'),
  restart('postgres-kill', 'kill', 'All processes of Postgres are killed with SIGKILL, and it is restarted.'),
  hang,
  ...sessionFaults,
];
