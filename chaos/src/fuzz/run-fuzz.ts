import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Stack, startStack, startTestStores } from '@posthorn/stack';
import { Canary } from './canary';
import { checkStore } from './check-store';
import { Feed } from './feed';
import { PREFILL } from './frame-cases';
import type { FrameSelf, Lane } from './fuzz-case';
import { Identities } from './identities';
import { HttpJudge } from './judge-http';
import { Ledger } from './ledger';
import { Report } from './report';
import { runBodies } from './run-bodies';
import { runFrames } from './run-frames';
import { runRaw } from './run-raw';
import { checkLogLine, watchExits } from './watch-services';

/** What to fuzz, and how to report it. */
export interface FuzzOptions {
  seed: number;
  from: number;
  cases: number;
  lanes: readonly Lane[];
  /** The command that replays a failure, without the number of the case. */
  replay: string;
  say: (text: string) => void;
  /** Called from time to time. */
  onProgress?: (done: number, total: number) => void;
  /** Ends the run before all cases are done. The finished cases are checked as usual. */
  signal?: AbortSignal;
  /** Stores to use instead of our own. */
  databaseUrl?: string;
  redisUrl?: string;
}

/** The result. */
export interface FuzzResult {
  report: Report;
  cases: number;
  seconds: number;
  accepted: number;
  canaryMessages: number;
  /** The time from the 201 to the device, in ms. */
  canaryP99Ms: number;
  canaryMaxMs: number;
}

/** Runners of each lane. Raw cases mostly wait, so many of them run at once. */
const RUNNERS: Readonly<Record<Lane, number>> = { bodies: 8, raw: 32, upgrade: 24, frames: 12 };
const PROGRESS_MS = 1_000;

/** Starts two processes of each service and fuzzes them beside the canary. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { databaseUrl, redisUrl } = options;
  // Nothing crashes here, so the stores may run without safe writes.
  const stores = await startTestStores({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });
  const dir = mkdtempSync(join(tmpdir(), 'posthorn-fuzz-'));
  const secret = randomBytes(32).toString('hex');
  const report = new Report(options.say, options.replay);
  try {
    const stack = await startStack({
      dir,
      onLine: (service, line) => checkLogLine(service, line, secret, report),
      databaseUrl: stores.databaseUrl,
      redisUrl: stores.redisUrl,
      env: {
        AUTH_JWT_SECRET: secret,
        REDIS_PREFIX: `fuzz-${randomBytes(4).toString('hex')}:`,
        // Off, because the fuzzer sends more than any user may.
        RATE_LIMIT_SENDS: '0',
        RATE_LIMIT_FRAMES: '0',
        DRAIN_MS: '1000',
      },
    });
    try {
      return await fuzz(stack, new Identities(secret), report, options);
    } finally {
      await stack.stop();
    }
  } finally {
    await stores.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function fuzz(
  stack: Stack,
  identities: Identities,
  report: Report,
  options: FuzzOptions,
): Promise<FuzzResult> {
  const { seed, from, cases, lanes } = options;
  const ledger = new Ledger();
  const judge = new HttpJudge(report, ledger);
  const feed = new Feed({ seed, from, count: cases, lanes, identities });
  const { total } = feed;
  options.signal?.addEventListener('abort', () => feed.stop(), { once: true });
  const endWatch = watchExits([...stack.sendApis, ...stack.wsGateways], report);
  const canary = await Canary.start({
    apiUrls: stack.sendApis.map(({ url }) => url),
    connectUrls: stack.wsGateways.map(({ wsUrl }) => wsUrl ?? ''),
    token: (user) => identities.token(user),
    report,
  });
  const selves = lanes.includes('frames')
    ? await Promise.all(
        Array.from({ length: RUNNERS.frames }, (_, turn) => prefill(stack, identities, ledger, userOf(turn))),
      )
    : [];
  const startedAt = performance.now();
  const timer = setInterval(() => options.onProgress?.(report.done, total), PROGRESS_MS);
  const portOf = (services: Stack['sendApis'], turn: number): number =>
    Number(new URL(services[turn % services.length]?.url ?? '').port);
  const http = (turn: number) => ({ feed, judge, ledger, report, port: portOf(stack.sendApis, turn) });
  const gateway = (turn: number) => ({ ...http(turn), port: portOf(stack.wsGateways, turn) });
  const run: Record<Lane, (turn: number) => Promise<void>> = {
    bodies: (turn) => runBodies(http(turn)),
    raw: (turn) => runRaw(http(turn), 'raw'),
    upgrade: (turn) => runRaw(gateway(turn), 'upgrade'),
    frames: async (turn) => {
      const self = selves[turn];
      if (self === undefined) throw new Error('no inbox was filled');
      await runFrames({
        feed,
        ledger,
        report,
        port: portOf(stack.wsGateways, turn),
        user: userOf(turn),
        self,
      });
    },
  };
  try {
    await Promise.all(
      lanes.flatMap((lane) => Array.from({ length: RUNNERS[lane] }, (_, turn) => run[lane](turn))),
    );
  } finally {
    clearInterval(timer);
    await canary.stop();
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  await settled(stack);
  await checkStore(stack.databaseUrl, ledger, report);
  endWatch();
  // A busy machine explains a few of these answers. With many, the run shows nothing.
  if (report.unavailable > Math.max(50, total / 20))
    report.fail(null, `${report.unavailable} answers of ${total} were "unavailable"`);
  const arrivals = canary.arrivalMs;
  return {
    report,
    cases: report.done,
    seconds,
    accepted: ledger.accepted.size,
    canaryMessages: canary.sent,
    canaryP99Ms: arrivals[Math.floor(arrivals.length * 0.99)] ?? 0,
    canaryMaxMs: arrivals.at(-1) ?? 0,
  };
}

/** The user of frame runner number `turn`. */
function userOf(turn: number): string {
  return `fw-${turn}`;
}

/** Sends the messages that wait in the inbox of a fuzzed user. */
async function prefill(
  stack: Stack,
  identities: Identities,
  ledger: Ledger,
  user: string,
): Promise<FrameSelf> {
  const ids: string[] = [];
  const boundAt = Date.now() + PREFILL_BOUND_MS;
  while (ids.length < PREFILL) {
    const response = await fetch(`${stack.sendApis[0]?.url ?? ''}/v1/messages`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${identities.token('fz-0')}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': `${user}-${ids.length}`,
      },
      body: JSON.stringify({ to: [user], text: `number ${ids.length + 1}` }),
    });
    const { id }: Record<string, unknown> = JSON.parse(await response.text());
    // On a busy machine the first answers may be 503.
    if (response.status === 503 && Date.now() < boundAt) continue;
    if (typeof id !== 'string') throw new Error(`a prefilling send was answered ${response.status}`);
    ledger.accept(id, 1);
    ids.push(id);
  }
  return { ids, token: identities.token(user), strangersToken: identities.token('fz-0') };
}

const PREFILL_BOUND_MS = 30_000;
const SETTLE_BOUND_MS = 10_000;

/** Waits until the gateways hold nobody and have committed everything. */
async function settled({ wsGateways }: Stack): Promise<void> {
  const boundAt = Date.now() + SETTLE_BOUND_MS;
  const isHolding = async ({ adminUrl }: Stack['wsGateways'][number]): Promise<boolean> =>
    /^posthorn_connections [^0]/m.test(await (await fetch(`${adminUrl}/metrics`)).text());
  while (Date.now() < boundAt && (await Promise.all(wsGateways.map(isHolding))).some(Boolean)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
