import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandFailed, cleanEnv, root, run, tool } from './run.mjs';
import { step } from './steps.mjs';

const MIN_NODE = [20, 19];
const WORKSPACES = ['libs', 'services'];

/**
 * Takes a fresh clone to a build: checks Node, installs what is missing, builds what changed. Ends the process with 1 and
 * a closing line if that fails.
 */
export async function bootstrap() {
  checkNode();
  try {
    await install();
    await step('built', async () => {
      await run(tool('tsc'), ['-b']);
      const vite = join(root, 'demo', 'node_modules', '.bin', 'vite');
      await run(vite, ['build', '--logLevel', 'warn'], { cwd: join(root, 'demo') });
    });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    process.stderr.write(`${error.output}\n${error.message}\n\n0 passed, 1 failed\n`);
    process.exit(1);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  process.stderr.write(
    `Posthorn needs Node ${MIN_NODE.join('.')} or newer; this is ${process.versions.node}. Get one from https://nodejs.org\n`,
  );
  process.exit(1);
}

/**
 * Installs with exactly the pnpm version of package.json. Skipped if the dependencies have not changed since the last
 * time.
 */
async function install() {
  const marker = join(root, 'node_modules', '.posthorn-installed');
  const wanted = fingerprint();
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
  const version = pnpmVersion();
  const [command, ...before] = (await hasPnpm(version)) ? ['pnpm'] : ['npx', '--yes', `pnpm@${version}`];
  // With CI set, pnpm asks no questions.
  const env = cleanEnv({ CI: 'true', npm_config_manage_package_manager_versions: 'false' });
  await step('dependencies are installed', () =>
    run(command, [...before, 'install', '--frozen-lockfile', '--prod=false', '--reporter=append-only'], {
      env,
    }),
  );
  writeFileSync(marker, wanted);
}

/** Changes when an install would give another result: another lockfile, package.json or kind of machine. */
function fingerprint() {
  const hash = createHash('sha256');
  const manifests = WORKSPACES.flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name, 'package.json')),
  );
  const files = [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    'e2e/package.json',
    'chaos/package.json',
    'bench/package.json',
    'conformance/package.json',
    'demo/package.json',
    ...manifests,
  ];
  for (const file of files.filter((name) => existsSync(join(root, name)))) {
    hash.update(file).update(readFileSync(join(root, file)));
  }
  return hash.update(`${process.platform} ${process.arch}`).digest('hex');
}

function pnpmVersion() {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return /^pnpm@([^+]+)/.exec(packageManager)[1];
}

/** Runs outside of the repository. Inside, pnpm and corepack report the wanted version instead of the installed one. */
async function hasPnpm(version) {
  const env = cleanEnv({ COREPACK_ENABLE_NETWORK: '0', COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' });
  try {
    return (await run('pnpm', ['--version'], { cwd: tmpdir(), env, timeoutMs: 10_000 })).trim() === version;
  } catch {
    return false; // not installed
  }
}
