/** The kind of Redis that a `REDIS_URL` names (PROTOCOL §6.3). */
export type RedisKind = 'single' | 'sentinel' | 'cluster';

/** A host and port to connect to. */
export interface RedisHost {
  host: string;
  port: number;
}

/** A parsed `REDIS_URL` (PROTOCOL §6.3). */
export interface RedisAddress {
  kind: RedisKind;
  /** The one server, or the sentinels, or some nodes of the Cluster, which name the others. */
  hosts: readonly RedisHost[];
  /** The sentinels' name for the master; empty for the other kinds. */
  master: string;
  /** The number of the database. A Cluster has only 0. */
  db: number;
  tls: boolean;
  username?: string;
  password?: string;
}

const FORMS: Readonly<Record<RedisKind, string>> = {
  single: 'redis://HOST:PORT',
  sentinel: 'redis+sentinel://HOST:PORT,HOST:PORT/MASTER',
  cluster: 'redis+cluster://HOST:PORT,HOST:PORT',
};
const DEFAULT_PORTS: Readonly<Record<RedisKind, number>> = { single: 6379, sentinel: 26_379, cluster: 6379 };

const URL_PARTS =
  /^redis(?<tls>s)?(?:\+(?<kind>cluster|sentinel))?:\/\/(?:(?<user>[^\s/?#]*)@)?(?<hosts>[^\s/?#@]*)(?:\/(?<path>[^\s?#]*))?(?:\?(?<query>[^\s#]*))?$/;
const HOST = /^(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?$/;
/** The alphabet that Sentinel allows for the name of a master. */
const MASTER = /^[A-Za-z0-9._-]+$/;
const DATABASE = /^\d{1,5}$/;

/**
 * Reads a REDIS_URL. Throws an `Error` that continues the setting's name ("must be …") and shows nothing of the
 * value, which may hold a password.
 */
export function parseRedisUrl(text: string): RedisAddress {
  const parts = URL_PARTS.exec(text)?.groups;
  if (parts === undefined) {
    const forms = Object.values(FORMS).join(', ');
    throw new Error(`must be a URL like ${forms}, or the same with rediss for TLS (its value is not shown)`);
  }
  const { kind: suffix, hosts = '', path = '', query } = parts;
  const kind: RedisKind = suffix === 'cluster' || suffix === 'sentinel' ? suffix : 'single';
  return {
    kind,
    hosts: readHosts(hosts, kind),
    ...readPath(path, query, kind),
    tls: parts['tls'] !== undefined,
    ...readCredentials(parts['user']),
  };
}

function readHosts(text: string, kind: RedisKind): RedisHost[] {
  const hosts = text.split(',').map((each) => {
    const { v6, name, port } = HOST.exec(each)?.groups ?? {};
    return { host: v6 ?? name ?? '', port: port === undefined ? DEFAULT_PORTS[kind] : Number(port) };
  });
  if (hosts.some(({ host, port }) => host === '' || port < 1 || port > 65_535)) {
    throw new Error(`must name hosts and ports as in ${FORMS[kind]} (its value is not shown)`);
  }
  if (kind === 'single' && hosts.length > 1) {
    throw new Error(`names several hosts: use ${FORMS.cluster} or ${FORMS.sentinel}`);
  }
  return hosts;
}

function readPath(
  path: string,
  query: string | undefined,
  kind: RedisKind,
): Pick<RedisAddress, 'master' | 'db'> {
  if (kind === 'sentinel') {
    if (!MASTER.test(path)) throw new Error(`must end with the name of the master, as in ${FORMS.sentinel}`);
    const db = query === undefined ? '0' : query.replace(/^db=/, '');
    if (!DATABASE.test(db)) {
      throw new Error(
        `can have only the number of a database after the master, as in ${FORMS.sentinel}?db=0`,
      );
    }
    return { master: path, db: Number(db) };
  }
  if (query !== undefined) throw new Error(`must not have a query: ${FORMS[kind]}`);
  if (kind === 'cluster' && path !== '' && path !== '0') {
    throw new Error(`must have nothing after the hosts, because a Cluster has only database 0`);
  }
  if (path !== '' && !DATABASE.test(path)) {
    throw new Error('can have only the number of a database after the host, as in redis://HOST:PORT/0');
  }
  return { master: '', db: Number(path) };
}

function readCredentials(text: string | undefined): Pick<RedisAddress, 'username' | 'password'> {
  if (text === undefined) return {};
  const colon = text.indexOf(':');
  const [username, password] = (colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]).map(
    decode,
  );
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('has a user or password that is not percent-encoded (its value is not shown)');
  }
}
