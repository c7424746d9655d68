import type { Random } from '../random';
import type { Mutation, ServiceSlot } from '../world/chaos-world';
import { EVERY_KIND, type Fault } from './fault';
import { createMark, type Mark } from './mark';
import { type Role, restart, restartAs, slotsOf } from './slots';

/** A change of a service's code, for one process and a limited time. */
export interface Variant {
  id: string;
  what: string;
  role: Role;
  mutation: (mark: Mark, random: Random) => Mutation;
  /** `exit` is null until the process has ended by itself. */
  effectOf: (mark: Mark, exit: Exit | null) => string | null;
}

type Exit = Awaited<ReturnType<ServiceSlot['exited']>>;

/** Replaces one process by a variant for a while. */
export function variantFault({ id, what, role, mutation, effectOf }: Variant): Fault {
  return {
    id,
    what,
    kinds: EVERY_KIND,
    minMs: 6_000,
    maxMs: 8_000,
    inject: async (world, random) => {
      const slot = random.pick(slotsOf(world, role));
      const mark = createMark();
      const isStarted = await restartAs(slot, { mutations: [mutation(mark, random)] });
      let exit: Exit | null = null;
      let isHealed = false;
      void slot.exited().then((each) => {
        if (!isHealed) exit = each;
      });
      return {
        target: slot.label,
        heal: async () => {
          isHealed = true;
          await restart(slot);
          mark.remove();
        },
        effect: async () => (isStarted ? effectOf(mark, exit) : 'it ended while it started'),
      };
    },
  };
}
