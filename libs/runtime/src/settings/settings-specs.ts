import { makeExactValidator, type OptionalValidatorSpec, type RequiredValidatorSpec } from 'envalid';
import {
  defaultOf,
  type ServiceName,
  type SettingName,
  settingOf,
  settingsCatalogue,
} from './settings-catalogue';
import { type Bounds, type SettingValues, settingReaders } from './settings-readers';

/** The type of a setting after reading. */
type ValueOf<N extends SettingName> = SettingValues[(typeof settingsCatalogue)[N]['kind']];

/** A setting that has a default in this service, or is required. */
export function needed<N extends SettingName>(
  name: N,
  service: ServiceName,
): RequiredValidatorSpec<ValueOf<N>> {
  const read = readerOf(name);
  const text = defaultOf(name, service);
  return makeExactValidator<ValueOf<N>>(read)(text === undefined ? {} : { default: read(text) });
}

/** A setting that may stay unset. */
export function optional<N extends SettingName>(name: N): OptionalValidatorSpec<ValueOf<N>> {
  return makeExactValidator<ValueOf<N>>(readerOf(name))({ default: undefined });
}

function readerOf<N extends SettingName>(name: N): (text: string) => ValueOf<N> {
  const kind: (typeof settingsCatalogue)[N]['kind'] = settingsCatalogue[name].kind;
  const bounds: Bounds = settingOf(name);
  return (text) => settingReaders[kind](text, bounds);
}
