import { type RedisFacts, type RedisNodeFacts, readRedisFacts } from '@posthorn/routing';
import {
  codeOf,
  type Finding,
  fault,
  findClockSkew,
  latencyFinding,
  ok,
  warning,
  wordsOf,
} from './finding.ts';

const MIN_VERSION = 6;
/** For sharded pub/sub (PROTOCOL §6.3). */
const MIN_CLUSTER_VERSION = 7;
const FULL_SHARE = 0.9;

/**
 * Checks Redis of any kind: reachable, role, eviction, memory, clock and latency of each node that serves keys, and a
 * write.
 */
export async function checkRedis(url: string, prefix: string): Promise<Finding[]> {
  try {
    const facts = await readRedisFacts(url, prefix);
    return [
      ok('redis', `reached: ${inWords(facts)}`),
      ...(facts.cluster === null ? [] : [findClusterState(facts.cluster)]),
      ...facts.nodes.flatMap((node) => checkNode(node, facts)),
      findWrite(facts.writeError),
    ];
  } catch (error) {
    return [fault('redis', wordsOf(error), remedyOf(error))];
  }
}

function inWords({ kind, nodes, master }: RedisFacts): string {
  if (kind === 'cluster') return `a Cluster of ${nodes.length} node(s) that serve keys`;
  return kind === 'sentinel' ? `the master ${master}, by its sentinels` : 'one server';
}

function checkNode({ address, info, latenciesMs, clock }: RedisNodeFacts, { kind }: RedisFacts): Finding[] {
  const name = address === '' ? 'redis' : `redis ${address}`;
  return [
    latencyFinding(`${name} latency`, latenciesMs),
    findClockSkew(`${name} clock`, clock.theirsMs, clock.oursMs, clock.tookMs),
    ...findVersion(name, info, kind === 'cluster' ? MIN_CLUSTER_VERSION : MIN_VERSION),
    ...findRole(name, info),
    findEviction(name, info),
    findMemory(name, info),
  ];
}

type Info = RedisNodeFacts['info'];

function findVersion(name: string, { redis_version: version = '' }: Info, min: number): Finding[] {
  if (Number.parseInt(version, 10) >= min) return [];
  return [fault(`${name} version`, `version ${version}, but ${min} is needed`, `Use Redis ${min} or newer.`)];
}

function findRole(name: string, { role }: Info): Finding[] {
  if (role === 'master') return [];
  const remedy = 'Point REDIS_URL to the master, or to its sentinels with redis+sentinel://.';
  return [fault(`${name} role`, 'it is a replica and takes no writes', remedy)];
}

function findEviction(name: string, { maxmemory_policy: policy = 'unknown' }: Info): Finding {
  const check = `${name} eviction`;
  if (policy === 'noeviction') return ok(check, 'noeviction');
  return fault(
    check,
    `maxmemory-policy is ${policy}: a full Redis drops presence and offline lists, and messages wait for a reconcile`,
    'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.',
  );
}

function findMemory(name: string, info: Info): Finding {
  const max = Number(info['maxmemory'] ?? 0);
  const used = Number(info['used_memory'] ?? 0);
  const check = `${name} memory`;
  if (max === 0) {
    return warning(
      check,
      `${mib(used)} in use, without a limit (maxmemory 0)`,
      "Set maxmemory below the machine's memory: the kernel ends a Redis that takes too much.",
    );
  }
  const detail = `${mib(used)} of ${mib(max)} in use`;
  if (used < max * FULL_SHARE) return ok(check, detail);
  return fault(check, detail, 'Raise maxmemory, or lower OFFLINE_LIST_MAX: a full Redis takes no writes.');
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function findClusterState({ state, slotsOk }: { state: string; slotsOk: number }): Finding {
  const slots = `${slotsOk} of 16384 slots are served`;
  if (state === 'ok') return ok('redis cluster', slots);
  const remedy = 'Run redis-cli --cluster check, then --cluster fix, and bring back missing nodes.';
  return fault('redis cluster', `cluster_state is ${state}: ${slots}`, remedy);
}

function findWrite(error: string | null): Finding {
  return error === null
    ? ok('redis writes', 'it takes writes')
    : fault('redis writes', error, writeRemedyOf(error));
}

function writeRemedyOf(words: string): string {
  if (words.startsWith('READONLY')) return 'Point REDIS_URL to the master.';
  if (words.startsWith('OOM')) return 'Raise maxmemory: Redis is full.';
  if (words.startsWith('MISCONF'))
    return 'Redis cannot save to its disk. Free some space there, and read its log.';
  if (words.startsWith('NOPERM')) return 'Give the user of REDIS_URL the keys and commands of PROTOCOL §6.';
  return 'Read the log of Redis.';
}

function remedyOf(error: unknown): string {
  if (/NOAUTH|WRONGPASS|AUTH/.test(wordsOf(error))) return 'Check user and password in REDIS_URL.';
  switch (codeOf(error)) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'Check the host in REDIS_URL: this machine cannot resolve its name.';
    case 'ECONNREFUSED':
      return 'Check host and port in REDIS_URL, whether Redis runs, and its settings bind and protected-mode.';
    default:
      return 'Check REDIS_URL, the network in between, and the log of Redis. The nodes of a Cluster must announce addresses that this machine can reach.';
  }
}
