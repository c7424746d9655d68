import { defaultOf } from '@posthorn/runtime';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { checkKeys } from '../doctor/check-keys.ts';
import { checkMachine } from '../doctor/check-machine.ts';
import { checkPostgres } from '../doctor/check-postgres.ts';
import { checkRedis } from '../doctor/check-redis.ts';
import { checkGateway, checkSendApi } from '../doctor/check-services.ts';
import { type Finding, fault, ok } from '../doctor/finding.ts';
import { effectiveSettings } from '../effective-settings.ts';
import { EXIT } from '../exit.ts';
import { columns } from '../output.ts';
import type { WithContext } from '../with-context.ts';

const MARKS: Readonly<Record<Finding['state'], string>> = { ok: 'ok', warning: 'WARN', fault: 'FAULT' };

/** `posthorn doctor`. */
export function addDoctor(program: Command, withContext: WithContext): void {
  program
    .command('doctor')
    .description('look for what is wrong with settings, stores, clocks, keys and limits, and say what to do')
    .action(
      withContext<[]>(async (context) => {
        const findings = await examine(context);
        await context.out.result({ findings }, () => inWords(findings));
        return findings.some(({ state }) => state === 'fault') ? EXIT.failed : EXIT.ok;
      }),
    );
}

/** All checks that can be made with what is set. */
async function examine({ env, api, gateway, isNamed }: Context): Promise<Finding[]> {
  const settings = findSettings(env);
  const isWrong = (name: string): boolean => settings.some(({ check }) => check === `setting ${name}`);
  const given = (name: string): string | undefined => (isWrong(name) ? undefined : env.get(name));
  const databaseUrl = given('DATABASE_URL');
  const redisUrl = given('REDIS_URL');
  const keysUrl = given('AUTH_JWKS_URL');
  const prefix = given('REDIS_PREFIX') ?? defaultOf('REDIS_PREFIX', 'send-api') ?? '';
  const found = await Promise.all([
    databaseUrl === undefined ? [] : checkPostgres(databaseUrl),
    redisUrl === undefined ? [] : checkRedis(redisUrl, prefix),
    keysUrl === undefined ? [] : checkKeys(keysUrl),
    isNamed.api ? checkSendApi(api) : [],
    isNamed.gateway ? checkGateway(gateway) : [],
  ]);
  return [...settings, ...found.flat(), ...checkMachine()];
}

/** Settings of both services; one that both have is told once. */
function findSettings(env: Context['env']): Finding[] {
  const wrong = new Map<string, Finding>();
  for (const service of ['send-api', 'ws-gateway'] as const) {
    for (const { name, problem } of effectiveSettings(env, service)) {
      if (problem === undefined) continue;
      wrong.set(name, fault(`setting ${name}`, problem, `See it with: posthorn config ${service}`));
    }
  }
  return wrong.size === 0 ? [ok('settings', 'both services would take them')] : [...wrong.values()];
}

function inWords(findings: readonly Finding[]): string {
  const table = columns(findings.map(({ check, state, detail }) => [MARKS[state], check, detail])).split(
    '\n',
  );
  const lines = findings.flatMap(({ remedy }, index) => [
    table[index] ?? '',
    ...(remedy === undefined ? [] : [`       → ${remedy}`]),
  ]);
  const faults = findings.filter(({ state }) => state === 'fault').length;
  const warnings = findings.filter(({ state }) => state === 'warning').length;
  return [...lines, '', `${faults} fault(s), ${warnings} warning(s)`].join('\n');
}
