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

/** One setting as a service would read it. */
export interface EffectiveSetting {
  name: SettingName;
  /** The value as text; null if it is unset. A value that may hold a credential is masked. */
  value: string | null;
  /** `environment`, the path of the file with the value, `default`, or `unset`. */
  source: string;
  /** What is wrong with it. */
  problem?: string;
}

const LOADERS: Readonly<Record<ServiceName, (env: ServiceEnvironment) => unknown>> = {
  'send-api': loadSendApiSettings,
  'ws-gateway': loadGatewaySettings,
};

/** Every setting of a service, read as the service reads it. */
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
 * Shows a URL without its credentials and query, and only the length of any other value. A password that was not
 * percent-encoded may contain any character, so everything up to the last `@` is masked.
 */
export function masked(value: string): string {
  const [, scheme, credentials, place, query] =
    /^([a-z][a-z0-9+.-]*:\/\/)(.*@)?([^?#]*)([?#].*)?$/s.exec(value) ?? [];
  if (scheme === undefined) return `(${Buffer.byteLength(value)} bytes, not shown)`;
  return `${scheme}${credentials === undefined ? '' : '***@'}${place}${query === undefined ? '' : '?***'}`;
}
