import type { Random } from '../random';
import type { ChaosWorld } from '../world/chaos-world';

/** The Redis keys of a user: those that the services use, and an unused one in the same slot for probes. */
export function userKeys(
  world: ChaosWorld,
  user: string,
): { presence: string; offline: string; probe: string } {
  const base = `${world.redis.prefix}{${user}}:`;
  return { presence: `${base}presence`, offline: `${base}offline`, probe: `${base}probe` };
}

/** Different random users, at most `count`. */
export function pickUsers(world: ChaosWorld, random: Random, count: number): string[] {
  const users = new Set<string>();
  for (let n = 0; n < count; n++) users.add(random.pick(world.clients.users));
  return [...users];
}
