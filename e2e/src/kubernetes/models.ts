import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../docs/repository';
import type { Resource } from './rendered';

/** The package of each API group that is not part of Kubernetes. */
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
 * What is wrong with the objects, by the models of their kinds. The compiler finds unknown fields and wrong types.
 * The schema finds missing fields, values out of bounds and bad formats.
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

/** The output of a command, line by line. A failure without output also gives a line. */
function linesOf(command: string, args: readonly string[], cwd: string): string[] {
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  return status !== 0 && lines.length === 0 ? [`${command} ended with ${status}`] : lines;
}
