import type { ChaosWorld, ServiceSlot, StartVariant } from '../world/chaos-world';

/** The names of services in the ids of faults. */
export type Role = 'api' | 'gateway';

export const ROLES: readonly Role[] = ['api', 'gateway'];

export const SERVICES: Readonly<Record<Role, string>> = { api: 'send-api', gateway: 'ws-gateway' };

/** The places of one service. */
export function slotsOf(world: ChaosWorld, role: Role): readonly ServiceSlot[] {
  return role === 'api' ? world.apis : world.gateways;
}

/** Starts a process if the place is empty. */
export async function revive(slot: ServiceSlot): Promise<void> {
  if (slot.pid === null) await slot.start();
}

/** Ends the process, if there is one, and starts a normal one. */
export async function restart(slot: ServiceSlot): Promise<void> {
  if (slot.pid !== null) await slot.stop();
  await slot.start();
}

/**
 * Ends the process, if there is one, and starts a variant. The variant need not become ready or even live that long,
 * because that may be the fault.
 * @returns false if it ended before it listened
 */
export async function restartAs(slot: ServiceSlot, variant: StartVariant): Promise<boolean> {
  if (slot.pid !== null) await slot.stop();
  return await slot.start(variant, false).then(
    () => true,
    () => false, // on a busy machine its fault may come before it is ready
  );
}
