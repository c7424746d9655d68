import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The path of a command from a dependency of the root package. */
export const tool = (name) => join(root, 'node_modules', '.bin', name);

const MAX_OUTPUT_CHARS = 200_000;
/**
 * npm's variables for scripts would confuse another package manager. These are the user's own settings, so they stay.
 */
const KEPT_NPM =
  /^npm_config_(registry|cache|userconfig|globalconfig|(https?_)?proxy|noproxy|cafile|ca|strict_ssl)$/;

/** A failed command, with its complete output. */
export class CommandFailed extends Error {
  constructor(command, code, output) {
    super(`${command} ended with ${code}`);
    this.code = code;
    this.output = output;
  }
}

/**
 * The environment for other tools: without npm's variables, and never "production", which would skip the build tools.
 */
export function cleanEnv(more = {}) {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      (!name.startsWith('npm_') || KEPT_NPM.test(name)) && name !== 'NODE_ENV' && name !== 'INIT_CWD',
  );
  return { ...Object.fromEntries(kept), ...more };
}

/**
 * Runs a command in the repository. Resolves with its output; throws CommandFailed. With `show` it writes to the
 * terminal instead. A signal is passed on, and ends this process once the command has ended: nothing else starts then.
 */
export function run(command, args, { env = cleanEnv(), cwd = root, show = false, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: show ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk) => {
      output = (output + chunk).slice(-MAX_OUTPUT_CHARS);
    };
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    let ending;
    const forward = (signal) => {
      ending = signal;
      child.kill(signal);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    process.on('SIGTERM', forward).on('SIGINT', forward);
    const settle = (act) => {
      clearTimeout(timer);
      process.off('SIGTERM', forward).off('SIGINT', forward);
      if (ending !== undefined) process.exit(128 + constants.signals[ending]);
      act();
    };
    child.once('error', (error) =>
      settle(() => reject(new CommandFailed(command, error.code, error.message))),
    );
    child.once('close', (code, signal) =>
      settle(() =>
        code === 0 ? resolve(output) : reject(new CommandFailed(command, signal ?? code, output)),
      ),
    );
  });
}
