import { defaultOf } from '@posthorn/runtime/settings-catalogue';
import type { Context } from '../context.ts';
import { effectiveSettings } from '../effective-settings.ts';
import { checkKeys } from './check-keys.ts';
import { checkMachine } from './check-machine.ts';
import { checkPostgres } from './check-postgres.ts';
import { checkRedis } from './check-redis.ts';
import { checkGateway, checkSendApi } from './check-services.ts';
import { type Finding, fault, ok } from './finding.ts';

/** Runs all checks that are possible with the given settings. */
export async function examine({ env, api, gateway, isNamed }: Context): Promise<Finding[]> {
  const settings = findSettings(env);
  const isWrong = (name: string): boolean => settings.some(({ check }) => check === `setting ${name}`);
  const given = (name: string): string | undefined => (isWrong(name) ? undefined : env.get(name));
  const databaseUrl = given('DATABASE_URL');
  const redisUrl = given('REDIS_URL');
  const keysUrl = given('AUTH_JWKS_URL');
  const prefix = given('REDIS_PREFIX') ?? defaultOf('REDIS_PREFIX', 'send-api') ?? '';
  const found = await Promise.all([
    databaseUrl === undefined
      ? []
      : checkPostgres(databaseUrl, {
          connections: Number(given('DATABASE_CONNECTIONS') ?? defaultOf('DATABASE_CONNECTIONS', 'send-api')),
          workers: Number(given('WORKERS') ?? defaultOf('WORKERS', 'send-api')),
        }),
    redisUrl === undefined ? [] : checkRedis(redisUrl, prefix),
    keysUrl === undefined ? [] : checkKeys(keysUrl),
    isNamed.api ? checkSendApi(api) : [],
    isNamed.gateway ? checkGateway(gateway) : [],
  ]);
  return [...settings, ...found.flat(), ...checkMachine()];
}

/** Checks the settings of both services. A setting that both have is reported once. */
function findSettings(env: Context['env']): Finding[] {
  const wrong = new Map<string, Finding>();
  for (const service of ['send-api', 'ws-gateway'] as const) {
    for (const { name, problem } of effectiveSettings(env, service)) {
      if (problem === undefined) continue;
      wrong.set(name, fault(`setting ${name}`, problem, `See it with: posthorn config ${service}`));
    }
  }
  return wrong.size === 0 ? [ok('settings', 'both services accept them')] : [...wrong.values()];
}
