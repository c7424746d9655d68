import type { Random } from '../random';
import type { ChaosWorld } from '../world/chaos-world';
import { errorOf, seen } from './evidence';
import { EVERY_KIND, type Fault, type Injected } from './fault';
import { pickUsers, userKeys } from './user-keys';

const USERS = 5;

/** Writes wrong data under the keys of some users. `mend` removes what is still there. */
function spoilt(
  id: string,
  what: string,
  /** Returns true if the wrong data was written. */
  spoil: (world: ChaosWorld, user: string) => Promise<boolean>,
  mend: (world: ChaosWorld, user: string) => Promise<unknown>,
): Fault {
  const inject = async (world: ChaosWorld, random: Random): Promise<Injected> => {
    const users = pickUsers(world, random, USERS);
    let count = 0;
    await each(users, async (user) => {
      if (await spoil(world, user)) count++;
    });
    return {
      target: users.join(', '),
      heal: () => each(users, (user) => mend(world, user)),
      effect: async () => seen(count > 0, `${count} keys held it`),
    };
  };
  return { id, what, kinds: EVERY_KIND, minMs: 1_000, maxMs: 5_000, inject };
}

/** Does the work for each user, and ignores failures: another fault may hit Redis at the same time. */
async function each(users: readonly string[], work: (user: string) => Promise<unknown>): Promise<void> {
  await Promise.all(users.map((user) => errorOf(() => work(user))));
}

type KeyName = 'presence' | 'offline';

async function callOn(
  world: ChaosWorld,
  user: string,
  name: KeyName,
  command: string,
  ...args: (string | number)[]
): Promise<unknown> {
  const key = userKeys(world, user)[name];
  return await (await world.redis.nodeOf(key)).call(command, key, ...args);
}

/** Writes a string where another type belongs. */
function wrongType(name: KeyName): Fault {
  return spoilt(
    `poison-${name}-type`,
    `The ${name} key of some users holds a string.`,
    async (world, user) => {
      // SET replaces a key of any type.
      await callOn(world, user, name, 'SET', 'not what you expect');
      return (await callOn(world, user, name, 'TYPE')) === 'string';
    },
    async (world, user) => {
      if ((await callOn(world, user, name, 'TYPE')) === 'string') await callOn(world, user, name, 'DEL');
    },
  );
}

/** Gateways that never existed, and invalid counts. */
const WRONG_FIELDS = [
  ['0123456789ab', '1'],
  ['ba9876543210', 'many'],
  ['', '-1'],
  ['not a gateway', '1e400'],
  ['*', 'NaN'],
] as const;

const wrongFields = spoilt(
  'poison-presence-fields',
  'The presence of some users names gateways that never existed, with invalid counts.',
  async (world, user) => Number(await callOn(world, user, 'presence', 'HSET', ...WRONG_FIELDS.flat())) > 0,
  (world, user) => callOn(world, user, 'presence', 'HDEL', ...WRONG_FIELDS.map(([field]) => field)),
);

const WRONG_ENTRIES = [
  'garbage',
  'null',
  '[]',
  '{}',
  '{"seq":"1","epoch":"e"}',
  '{"seq":1e300,"epoch":"e"}',
  '{"seq":-1,"epoch":null}',
  '{"seq":1,"epoch":"of another life","message":{"id":"x","from":"y","createdAt":"z"}}',
  '{"seq":1,"epoch":"e","message":"not one"}',
  `{"seq":1,"epoch":"e","text":"${'x'.repeat(100_000)}"}`,
];

const wrongEntries = spoilt(
  'poison-offline-entries',
  'The offline list of some users has invalid entries at both ends.',
  async (world, user) => {
    await callOn(world, user, 'offline', 'LPUSH', ...WRONG_ENTRIES);
    return Number(await callOn(world, user, 'offline', 'RPUSH', ...WRONG_ENTRIES)) > 0;
  },
  async (world, user) => {
    for (const entry of WRONG_ENTRIES) await callOn(world, user, 'offline', 'LREM', 0, entry);
  },
);

/** Wrong data under the keys of presence and offline lists. */
export const keyPoison: readonly Fault[] = [
  wrongType('presence'),
  wrongType('offline'),
  wrongFields,
  wrongEntries,
];
