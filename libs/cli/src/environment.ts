import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { findSecret, type GivenSecret, secretFileOf } from '@posthorn/protocol';
import { type SettingName, settingOf, settingsCatalogue } from '@posthorn/runtime/settings-catalogue';
import { CliError, EXIT } from './exit.ts';

/** Where `npm start` writes the settings of its stack. */
const DEV_ENV = join('.posthorn', 'dev.env');

/** The settings that may be given as a file: all that may hold a credential. */
const SECRETS = (Object.keys(settingsCatalogue) as SettingName[]).filter((name) => settingOf(name).secret);

/** Settings as a service would see them, and the source of each. The environment wins over the file. */
export class Environment {
  readonly #env: NodeJS.ProcessEnv;
  readonly #file: string | undefined;
  readonly #fromFile: NodeJS.Dict<string>;

  private constructor(env: NodeJS.ProcessEnv, file: string | undefined) {
    this.#env = env;
    this.#file = file;
    this.#fromFile = file === undefined ? {} : parseEnv(readFileSync(file, 'utf8'));
  }

  /**
   * Without `file`, it reads the file of `npm start` in the folder, if there is one.
   * @throws CliError if the named file cannot be read
   */
  static read(env: NodeJS.ProcessEnv, folder: string, file?: string): Environment {
    if (file === undefined) {
      const devEnv = join(folder, DEV_ENV);
      return new Environment(env, existsSync(devEnv) ? devEnv : undefined);
    }
    try {
      return new Environment(env, file);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new CliError(EXIT.io, `--settings cannot be read: ${why}`, { cause });
    }
  }

  /**
   * An empty variable counts as unset. The value may be in a file (PROTOCOL §2.3).
   * @throws CliError if that file cannot be read
   */
  get(name: string): string | undefined {
    const found = this.find(name);
    if ('fault' in found) throw new CliError(EXIT.config, `${name} ${found.fault}`);
    return found.text;
  }

  /** Like `get`, but returns what is wrong with the file as a value. */
  find(name: string): GivenSecret {
    const all = this.all();
    if (!isSecret(name)) return { text: all[name] };
    return findSecret(all, name, (path) => readFileSync(path, 'utf8'));
  }

  /** The source of a variable: `environment`, or the path of its file; undefined if it is unset. */
  sourceOf(name: string): string | undefined {
    const secretFile = isSecret(name) ? this.all()[secretFileOf(name)] : undefined;
    if (secretFile) return secretFile;
    if (this.#env[name]) return 'environment';
    return this.#fromFile[name] ? this.#file : undefined;
  }

  /**
   * All variables, in the form of `process.env`. A value that the environment gives as a file wins over the text in
   * the settings file.
   */
  all(): NodeJS.Dict<string> {
    const given = Object.entries(this.#env).filter(([, value]) => value !== undefined && value !== '');
    const kept = Object.entries(this.#fromFile).filter(
      ([name]) => !isSecret(name) || !this.#env[secretFileOf(name)],
    );
    return { ...Object.fromEntries(kept), ...Object.fromEntries(given) };
  }
}

function isSecret(name: string): boolean {
  return SECRETS.some((secret) => secret === name);
}
