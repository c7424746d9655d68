import { parseArgs } from 'node:util';
import { demoOrigins } from '@posthorn/demo-server';
import { mintToken } from '@posthorn/runtime/mint-token';
import { localFolder } from './paths';
import { freePort } from './process/free-port';
import type { ServiceName, ServiceProcess } from './process/service-process';
import { takeStartLock } from './process/start-lock';
import { StopList } from './process/stop-list';
import { type Stack, startStack } from './stack';
import type { Step } from './step';
import { keepDevSecret, tellDevEnv } from './story/dev-env';
import { startStackDemo } from './story/stack-demo';
import { playStory, type Tokens } from './story/story';

const EX_USAGE = 64;
const TOKEN_TTL_S = 12 * 3_600;
/** After Ctrl-C npm sends the same signal again. Only a later signal means "stop now". */
const IMPATIENT_AFTER_MS = 1_000;
const PUBLIC_PORTS: Readonly<Record<ServiceName, number>> = { 'send-api': 3000, 'ws-gateway': 3001 };
const DEMO_PORTS = [8080, 8090, 8081, 8082];
const ADMIN_PORTS: Readonly<Record<ServiceName, number>> = { 'send-api': 9300, 'ws-gateway': 9301 };
/** Always set here; values of the environment are ignored. */
const OWN_SETTINGS = ['PORT', 'ADMIN_PORT', 'DATABASE_URL', 'REDIS_URL', 'AUTH_JWKS_URL', 'WORKERS'];

/**
 * `npm start`: starts stores, schema, and two processes of each service, plays the story, and runs until a signal.
 * With `--once` it stops after the story. Returns the exit code. `step` shows the progress.
 */
export async function start(args: readonly string[], step: Step): Promise<number> {
  const once = readOnce(args);
  if (once === undefined) {
    process.stderr.write('usage: npm start [-- --once]\n  --once   play the story, stop, exit with 0 or 1\n');
    return EX_USAGE;
  }
  const stops = new StopList();
  let unlock: (() => void) | undefined;
  const signals = onSignal(async () => {
    process.stdout.write('\nstopping …\n');
    await stops.stopAll();
    unlock?.();
  });
  const run = async () => {
    unlock = takeStartLock(localFolder);
    const demoPort = await freePort(DEMO_PORTS);
    const env = settings(demoPort);
    const { stack, tokens } = await playOnStack(stops, env, step);
    if (!once) {
      const token = (user: string) => devToken(user, env);
      const demo = await step('the demo page', () => startStackDemo({ port: demoPort, stack, token }));
      stops.add(() => demo.stop());
      return stayUp(stack, tokens, demo.url);
    }
    await step('all is stopped again', () => stack.stop());
    return 0;
  };
  try {
    return await Promise.race([signals.stopped, run()]);
  } catch (error) {
    // Errors after an interruption only come from the interruption.
    if (signals.hasCome()) return await signals.stopped;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await stops.stopAll();
    unlock?.();
  }
}

function readOnce(args: readonly string[]): boolean | undefined {
  try {
    return parseArgs({ args: [...args], options: { once: { type: 'boolean' } } }).values.once ?? false;
  } catch {
    return undefined;
  }
}

/**
 * After the first signal `stop` runs, and then `stopped` resolves with exit code 0. A second, later signal exits at
 * once.
 */
function onSignal(stop: () => Promise<void>): { stopped: Promise<number>; hasCome(): boolean } {
  let firstAt = 0;
  const stopped = new Promise<number>((resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (firstAt === 0) {
          firstAt = Date.now();
          stop().then(() => resolve(0), reject);
        } else if (Date.now() - firstAt > IMPATIENT_AFTER_MS) {
          process.exit(1);
        }
      });
    }
  });
  return { stopped, hasCome: () => firstAt !== 0 };
}

async function playOnStack(
  stops: StopList,
  env: Readonly<Record<string, string>>,
  step: Step,
): Promise<{ stack: Stack; tokens: Tokens }> {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;
  const stack = await startStack({
    dir: localFolder,
    ...(databaseUrl ? { databaseUrl } : {}),
    ...(redisUrl ? { redisUrl } : {}),
    env,
    ports,
    step,
    stops,
  });
  const tokens = { alice: await devToken('alice', env), bob: await devToken('bob', env) };
  const redisPrefix = env['REDIS_PREFIX'] ?? 'posthorn:';
  tellDevEnv(localFolder, {
    ...(databaseUrl ? {} : { DATABASE_URL: stack.databaseUrl }),
    ...(redisUrl ? {} : { REDIS_URL: stack.redisUrl }),
    POSTHORN_API: stack.sendApis[0]?.url ?? '',
    POSTHORN_GATEWAY: stack.wsGateways[0]?.wsUrl ?? '',
  });
  process.stdout.write('\n');
  await playStory({ stack, redisPrefix, tokens, step });
  return { stack, tokens };
}

/**
 * The settings of the services: this process's environment (so that any setting can be tried), the folder's secret,
 * and the origins of the demo page besides the given ones.
 */
function settings(demoPort: number): Record<string, string> {
  const given = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined || name.startsWith('npm_') || OWN_SETTINGS.includes(name) ? [] : [[name, value]],
  );
  const env: Record<string, string> = { DRAIN_MS: '2000', ...Object.fromEntries(given) };
  env['AUTH_JWT_SECRET'] ||= keepDevSecret(localFolder);
  const origins = env['ALLOWED_ORIGINS'] ?? '';
  if (origins.trim() !== '*') {
    env['ALLOWED_ORIGINS'] = [...(origins === '' ? [] : [origins]), ...demoOrigins(demoPort)].join(',');
  }
  return env;
}

/**
 * The usual port for the first process of a service, and 10 more for the second. If a port is taken, 20 more, and so
 * on.
 */
function ports(service: ServiceName, index: number): { port: number[]; adminPort: number[] } {
  const from = (first: number) => [0, 20, 40, 60, 80].map((more) => first + 10 * index + more);
  return { port: from(PUBLIC_PORTS[service]), adminPort: from(ADMIN_PORTS[service]) };
}

function devToken(user: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { AUTH_JWT_SECRET: secret = '', AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = env;
  return mintToken({
    user,
    secret,
    ttlS: TOKEN_TTL_S,
    ...(issuer ? { issuer } : {}),
    ...(audience ? { audience } : {}),
  });
}

function farewell(stack: Stack, tokens: Tokens, demoUrl: string): string {
  const [api] = stack.sendApis;
  return `
It runs. Open ${demoUrl} and chat.
  send-api    ${addresses(stack.sendApis)}
  ws-gateway  ${addresses(stack.wsGateways)}
  Postgres    ${stack.postgres === undefined ? 'DATABASE_URL' : `127.0.0.1:${stack.postgres.port}, data in ${stack.postgres.dir}`}
  Redis       ${stack.redis === undefined ? 'REDIS_URL' : stack.redis.url}
  reference   ${api?.url}/docs

Tokens, good for ${TOKEN_TTL_S / 3_600} hours:
  alice  ${tokens.alice}
  bob    ${tokens.bob}

Listen as bob, in a second terminal:
  node libs/cli listen --as bob

Send to bob as alice, in a third:
  node libs/cli send bob 'hello' --as alice

The same with curl:
  curl -sS ${api?.url}/v1/messages -H 'content-type: application/json' \\
    -H 'authorization: Bearer ${tokens.alice}' -d '{"to": ["bob"], "text": "hello"}'

Ctrl-C stops all of it.
`;
}

function addresses(services: readonly ServiceProcess[]): string {
  return services.map(({ url, adminUrl }) => `${url} (admin ${adminUrl})`).join('\n              ');
}

/**
 * Runs until a signal, or until a process ends unexpectedly. Then it stops with an error instead of seeming healthy.
 */
async function stayUp(stack: Stack, tokens: Tokens, demoUrl: string): Promise<number> {
  process.stdout.write(farewell(stack, tokens, demoUrl));
  const service = await stack.endedByItself;
  throw new Error(
    `${service.name} ended by itself. Its last lines:\n${service.logs().slice(-20).join('\n')}`,
  );
}
