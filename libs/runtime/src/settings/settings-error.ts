import { type ServiceName, type SettingName, settingOf } from './settings-catalogue';

/** One bad setting. Never contains the value of a secret. */
export interface SettingProblem {
  readonly name: SettingName;
  /** What is wrong, as a text that continues the setting's name. */
  readonly detail: string;
  readonly example: string;
}

/** All bad settings at once. `message` is written for the operator. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly SettingProblem[];

  constructor(service: ServiceName, problems: readonly SettingProblem[]) {
    const lines = problems.map(({ name, detail, example }) => `  ${name} ${detail}\n    example: ${example}`);
    const count = problems.length === 1 ? 'a setting is wrong' : `${problems.length} settings are wrong`;
    super(`${service} cannot start: ${count}\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

/** The problem of one setting, with the catalogue's example. */
export function problemWith(name: SettingName, detail: string): SettingProblem {
  return { name, detail, example: settingOf(name).example };
}
