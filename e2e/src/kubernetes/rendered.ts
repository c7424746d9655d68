import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { findKubectl } from '@posthorn/stack';
import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment' with { 'resolution-mode': 'import' };
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap' with { 'resolution-mode': 'import' };
import type { IPodTemplateSpec } from 'kubernetes-models/v1/PodTemplateSpec' with {
  'resolution-mode': 'import',
};
import type { IService } from 'kubernetes-models/v1/Service' with { 'resolution-mode': 'import' };
import { parseAllDocuments } from 'yaml';
import { root } from '../docs/repository';

/** The fields that every Kubernetes object has. */
export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: unknown;
}

/** The kinds that the policies check. */
interface Kinds {
  Deployment: IDeployment & Resource;
  Service: IService & Resource;
  ConfigMap: IConfigMap & Resource;
}

/** An object with pods: a Deployment, a StatefulSet, a Job. */
export interface Workload extends Resource {
  spec: { template: IPodTemplateSpec; selector?: { matchLabels?: Record<string, string> } };
}

/** Every kustomization that is applied as it is. */
export const OVERLAYS = ['dev', 'production'] as const;

/** The output of `kubectl kustomize` for a folder of `deploy/kubernetes`. */
export async function render(folder: string): Promise<Resource[]> {
  const path = join(root, 'deploy', 'kubernetes', folder);
  const text = execFileSync(await findKubectl(), ['kustomize', path], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS() as Resource;
  });
}

/** The objects of one kind. */
export function ofKind<Kind extends keyof Kinds>(resources: readonly Resource[], kind: Kind): Kinds[Kind][] {
  return resources.filter((resource): resource is Kinds[Kind] => resource.kind === kind);
}

/** Every object that runs pods. */
export function workloads(resources: readonly Resource[]): Workload[] {
  return resources.filter((resource): resource is Workload =>
    ['Deployment', 'StatefulSet', 'Job'].includes(resource.kind),
  );
}
