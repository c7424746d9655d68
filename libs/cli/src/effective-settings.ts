import {
  defaultOf,
  loadGatewaySettings,
  loadSendApiSettings,
  type Environment as ServiceEnvironment,
  type ServiceName,
  type SettingName,
  SettingsError,
  settingOf,
  settingsCatalogue,
} from '@posthorn/runtime';
import type { Environment } from './environment.ts';

/** One setting as a service would have it. */
export interface EffectiveSetting {
  name: SettingName;
  /** As text; what may hold a credential is masked. Null where it is unset. */
  value: string | null;
  /** `environment`, the path of the file that it is in, `default`, or `unset`. */
  source: string;
  /** What is wrong with it. */
  problem?: string;
}

const LOADERS: Readonly<Record<ServiceName, (env: ServiceEnvironment) => unknown>> = {
  'send-api': loadSendApiSettings,
  'ws-gateway': loadGatewaySettings,
};

/** Every setting of a service, as the service itself reads it. */
export function effectiveSettings(env: Environment, service: ServiceName): EffectiveSetting[] {
  const problems = problemsOf(env, service);
  const names = Object.keys(settingsCatalogue) as SettingName[];
  return names
    .filter((name) => settingOf(name).services.includes(service))
    .map((name) => {
      const given = env.find(name);
      const text = 'fault' in given ? undefined : given.text;
      const value = text ?? defaultOf(name, service) ?? null;
      const source = env.sourceOf(name) ?? (value === null ? 'unset' : 'default');
      const problem = problems.get(name);
      return {
        name,
        value: value === null || !settingOf(name).secret ? value : masked(value),
        source,
        ...(problem === undefined ? {} : { problem }),
      };
    });
}

function problemsOf(env: Environment, service: ServiceName): Map<SettingName, string> {
  try {
    LOADERS[service](env.all());
    return new Map();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return new Map(error.problems.map(({ name, detail }) => [name, detail]));
  }
}

/**
 * A URL without its credentials and query, anything else by its length alone. A password that should have been
 * percent-encoded may hold any character: all up to the last `@` is taken for it.
 */
export function masked(value: string): string {
  const [, scheme, credentials, place, query] =
    /^([a-z][a-z0-9+.-]*:\/\/)(.*@)?([^?#]*)([?#].*)?$/s.exec(value) ?? [];
  if (scheme === undefined) return `(${Buffer.byteLength(value)} bytes, not shown)`;
  return `${scheme}${credentials === undefined ? '' : '***@'}${place}${query === undefined ? '' : '?***'}`;
}
