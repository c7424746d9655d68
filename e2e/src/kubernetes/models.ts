import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../docs/repository';
import type { Resource } from './rendered';

/** Where the package of a group is that is not Kubernetes' own. */
const PACKAGES: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api/',
  'keda.sh': '@kubernetes-models/keda/',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/',
};

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  },
  files: ['rendered.mts'],
};

/**
 * What is wrong with the objects, by the models of their kinds: the compiler finds fields that do not exist and values of
 * the wrong type, the schema what is required, out of bounds, or badly written.
 */
export function complaintsAbout(resources: readonly Resource[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-kubernetes-'));
  try {
    symlinkSync(join(root, 'e2e', 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    writeFileSync(join(folder, 'rendered.mts'), resources.map(typed).join('\n'));
    writeFileSync(join(folder, 'validate.mjs'), resources.map(validated).join('\n'));
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    return [
      ...linesOf(tsc, ['-p', folder, '--pretty', 'false'], folder),
      ...linesOf(process.execPath, ['validate.mjs'], folder),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function typed(resource: Resource, index: number): string {
  const literal = JSON.stringify(resource);
  return `import type { I${resource.kind} as I${index} } from '${moduleOf(resource)}'; export const r${index} = ${literal} satisfies I${index};`;
}

function validated(resource: Resource, index: number): string {
  const name = JSON.stringify(`${resource.kind} ${resource.metadata.name}: `);
  return `import { ${resource.kind} as M${index} } from '${moduleOf(resource)}';
try { new M${index}(${JSON.stringify(resource)}).validate(); } catch (error) { console.log(${name} + error.message); }`;
}

/** `apps/v1`, Deployment → `kubernetes-models/apps/v1/Deployment` */
function moduleOf({ apiVersion, kind }: Resource): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return `${PACKAGES[group] ?? 'kubernetes-models/'}${apiVersion}/${kind}`;
}

/** What a command says, line by line; a failure that says nothing is one as well. */
function linesOf(command: string, args: readonly string[], cwd: string): string[] {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  return status !== 0 && lines.length === 0 ? [`${command} ended with ${status}`] : lines;
}
