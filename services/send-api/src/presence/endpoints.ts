import { isUserId, MAX_PRESENCE_USERS, USER_ID_RULE } from '@posthorn/protocol';
import { sendJson } from '../http/answer';
import type { Authenticate } from '../http/authenticate';
import type { Endpoint } from '../http/endpoint';
import { invalidQuery, parseQuery } from '../http/query';

export interface PresenceOptions {
  readonly authenticate: Authenticate;
  /** The users of this list that a live gateway holds. */
  readonly findOnline: (users: readonly string[]) => Promise<ReadonlySet<string>>;
  /** When the last connection of each user ended, RFC 3339. */
  readonly findLastSeen: (users: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

/** `GET /v1/presence` (PROTOCOL §4.6): answers in the order asked, each user once. */
export function presenceEndpoints(options: PresenceOptions): Endpoint[] {
  const { authenticate, findOnline, findLastSeen } = options;
  return [
    {
      method: 'get',
      path: '/v1/presence',
      handle: async (req, res) => {
        await authenticate(req);
        const users = usersFrom(parseQuery(req, ['users']).users);
        const [online, lastSeen] = await Promise.all([findOnline(users), findLastSeen(users)]);
        const items = users.map((user) => ({
          user,
          online: online.has(user),
          lastSeenAt: lastSeen.get(user) ?? null,
        }));
        sendJson(res, 200, { items });
      },
    },
  ];
}

function usersFrom(text: string | undefined): string[] {
  const users = [...new Set((text ?? '').split(','))];
  if (text === undefined || !users.every(isUserId)) {
    throw invalidQuery(`users must be user ids separated by commas. Each has ${USER_ID_RULE}.`);
  }
  if (users.length > MAX_PRESENCE_USERS) {
    throw invalidQuery(`users must name at most ${MAX_PRESENCE_USERS} different users.`);
  }
  return users;
}
