import type { ChaosWorld, ServiceSlot, StartVariant } from '../world/chaos-world';

/** What the ids of faults call a service. */
export type Role = 'api' | 'gateway';

export const ROLES: readonly Role[] = ['api', 'gateway'];

export const SERVICES: Readonly<Record<Role, string>> = { api: 'send-api', gateway: 'ws-gateway' };

/** The places of one service. */
export function slotsOf(world: ChaosWorld, role: Role): readonly ServiceSlot[] {
  return role === 'api' ? world.apis : world.gateways;
}

/** A process is there again, if there was none. */
export async function revive(slot: ServiceSlot): Promise<void> {
  if (slot.pid === null) await slot.start();
}

/** Ends the process that is there, if there is one, and starts one as usual. */
export async function restart(slot: ServiceSlot): Promise<void> {
  if (slot.pid !== null) await slot.stop();
  await slot.start();
}

/**
 * Ends the process that is there, if there is one, and starts one in another way. It need not become ready, nor
 * even live that long: that may be the fault.
 * @returns false when it ended before it listened
 */
export async function restartAs(slot: ServiceSlot, variant: StartVariant): Promise<boolean> {
  if (slot.pid !== null) await slot.stop();
  return await slot.start(variant, false).then(
    () => true,
    () => false, // a busy machine starts it so slowly that its fault comes first
  );
}
