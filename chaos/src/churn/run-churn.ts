import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, startStack, startTestStores } from '@posthorn/stack';
import { eventually } from '@posthorn/testing';
import { Identities } from '../fuzz/identities';
import { createRandom, type Random } from '../random';
import { flapOnce } from './flap';
import { Inspector, WITH_INSPECTOR } from './inspector';
import { type Held, readHeld, readStored, type Stored } from './residue';

/** How much churn. */
export interface ChurnOptions {
  connects: number;
  /** Connects before the first measurement of memory. */
  warmUp: number;
  seed: number;
  /** How much memory may grow until the end, as a share of its first value: 0.1 is 10 %. */
  mayGrow: number;
  onProgress?: (done: number, total: number) => void;
  /** Stores to use instead of our own. */
  databaseUrl?: string;
  redisUrl?: string;
}

/** One value that was checked at the end. */
interface Finding {
  what: string;
  value: string;
  isGood: boolean;
}

/** What is left of the churn. */
export interface ChurnResult {
  findings: Finding[];
  /** What happened to the connects. */
  outcomes: ReadonlyMap<string, number>;
  seconds: number;
}

const CONCURRENT = 48;
const USERS = 400;
const SETTLE_BOUND_MS = 30_000;
/**
 * The batcher of claims keeps its last batch until the next one: at most the sessions that connected at the same
 * time.
 */
const LAST_SESSIONS = CONCURRENT;
const LINGER_BOUND_MS = 15_000;
/** Connections to the stores, and their timers, come and go with the load. */
const POOL = 16;
/** Of each process: hot statements and TypeORM (docs/BUFFERS.md). */
const POSTGRES_CONNECTIONS = 12;

/** Starts two gateways, opens and ends connections, and checks what is left. */
export async function runChurn(options: ChurnOptions): Promise<ChurnResult> {
  const stores = await startTestStores({ DATABASE_URL: options.databaseUrl, REDIS_URL: options.redisUrl });
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-churn-'));
  const secret = randomBytes(32).toString('hex');
  const prefix = `churn-${randomBytes(4).toString('hex')}:`;
  try {
    const stack = await startStack({
      dir,
      databaseUrl: stores.databaseUrl,
      redisUrl: stores.redisUrl,
      sendApis: 1,
      env: {
        AUTH_JWT_SECRET: secret,
        REDIS_PREFIX: prefix,
        DRAIN_MS: '500',
        ...WITH_INSPECTOR,
      },
    });
    try {
      return await churn(stack, prefix, new Identities(secret), options);
    } finally {
      await stack.stop();
    }
  } finally {
    await stores.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function churn(
  stack: Stack,
  prefix: string,
  identities: Identities,
  options: ChurnOptions,
): Promise<ChurnResult> {
  const { connects, warmUp, mayGrow, seed, onProgress } = options;
  const random = createRandom(seed);
  const inspectors = await Promise.all(stack.wsGateways.map((gateway) => Inspector.attach(gateway)));
  const measure = async (): Promise<Held[]> => {
    const held: Held[] = [];
    for (const [index, gateway] of stack.wsGateways.entries()) {
      const inspector = inspectors[index];
      if (inspector !== undefined) held.push(await readHeld(gateway, inspector));
    }
    return held;
  };
  const outcomes = new Map<string, number>();
  const count = (outcome: string): void => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);

  await flap(stack, identities, random, warmUp, () => undefined);
  await settle(stack, prefix);
  const before = await measure();
  const startedAt = performance.now();
  let done = 0;
  await flap(stack, identities, random, connects, (outcome) => {
    count(outcome);
    onProgress?.(++done, connects);
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const stored = await settle(stack, prefix);
  let after = await measure();
  // Timers of the last connections run out within seconds.
  const boundAt = Date.now() + LINGER_BOUND_MS;
  while (after.some(({ sessions }) => sessions > LAST_SESSIONS) && Date.now() < boundAt) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    after = await measure();
  }
  for (const inspector of inspectors) inspector.close();
  return {
    findings: [...storeFindings(stored), ...gatewayFindings(before, after, mayGrow)],
    outcomes,
    seconds,
  };
}

async function flap(
  { wsGateways }: Stack,
  identities: Identities,
  random: Random,
  times: number,
  count: (outcome: string) => void,
): Promise<void> {
  const ports = wsGateways.map(({ url }) => Number(new URL(url).port));
  let begun = 0;
  const run = async (): Promise<void> => {
    while (begun < times) {
      const number = begun++;
      count(
        await flapOnce({
          port: random.pick(ports),
          user: `churn-${random.int(0, USERS - 1)}`,
          // A device name of its own, so that only intended takeovers happen.
          device: `d${number % (CONCURRENT * 2)}`,
          identities,
          random: random.fork(),
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, run));
}

/** Waits until the gateways and both stores have no connections. */
async function settle(stack: Stack, prefix: string): Promise<Stored> {
  await eventually(
    'nobody is left',
    async () => {
      const { presenceFields, heldDevices } = await readStored(stack, prefix);
      return presenceFields === 0 && heldDevices === 0;
    },
    SETTLE_BOUND_MS,
  ).catch(() => undefined); // the findings show what is left
  return await readStored(stack, prefix);
}

function storeFindings({ presenceFields, keys, heldDevices, postgresConnections }: Stored): Finding[] {
  const most = POSTGRES_CONNECTIONS * 3;
  return [
    { what: 'presence fields in Redis', value: String(presenceFields), isGood: presenceFields === 0 },
    { what: 'keys in Redis besides leases', value: String(keys), isGood: keys === 0 },
    {
      what: 'devices that a gateway holds by Postgres',
      value: String(heldDevices),
      isGood: heldDevices === 0,
    },
    {
      what: 'connections to Postgres',
      value: `${postgresConnections} of at most ${most}`,
      isGood: postgresConnections <= most,
    },
  ];
}

function gatewayFindings(before: readonly Held[], after: readonly Held[], mayGrow: number): Finding[] {
  return after.flatMap((now, index) => {
    const then = before[index] ?? now;
    const name = `gateway ${index}`;
    const zero = (what: string, value: number): Finding => ({
      what: `${name}: ${what}`,
      value: String(value),
      isGood: value === 0,
    });
    const steady = (what: string, was: number, is: number): Finding => ({
      what: `${name}: ${what}`,
      value: `${was} → ${is}`,
      isGood: is <= was + POOL,
    });
    const bounded = (what: string, was: number, is: number): Finding => ({
      what: `${name}: ${what}, MiB`,
      value: `${was.toFixed(1)} → ${is.toFixed(1)} (${(((is - was) / was) * 100).toFixed(1)} %)`,
      isGood: is <= was * (1 + mayGrow),
    });
    return [
      zero('connections', now.connections),
      {
        what: `${name}: sessions in memory`,
        value: `${now.sessions} of at most ${LAST_SESSIONS}`,
        isGood: now.sessions <= LAST_SESSIONS,
      },
      zero('unsent bytes', now.bufferedBytes),
      zero('messages in flight', now.inFlight),
      zero('full windows', now.fullWindows),
      steady('sockets', then.sockets, now.sockets),
      steady('timers', then.timers, now.timers),
      steady('open files', then.openFiles, now.openFiles),
      bounded('heap after a full collection', then.heapMiB, now.heapMiB),
      bounded('resident memory after a full collection', then.rssMiB, now.rssMiB),
    ];
  });
}
