import { defaultOf, settingsCatalogue } from '@posthorn/runtime';
import { hasTool } from '@posthorn/testing';
import { read } from '../docs/repository';
import { OVERLAYS, ofKind, type Resource, render, type Workload, workloads } from './rendered';

const describeWithKubectl = hasTool('kubectl') ? describe : describe.skip;

/** PROTOCOL §2.5: a stop is cut so long after DRAIN_MS. */
const CUT_AFTER_S = 6;
const MARGIN_S = 3;
const SERVICES = ['send-api', 'ws-gateway'] as const;
const SECRETS = /SECRET|PASSWORD|TOKEN|DATABASE_URL|REDIS_URL/;

describeWithKubectl.each(OVERLAYS)('the overlay %s', (overlay) => {
  let resources: Resource[];
  beforeAll(async () => {
    resources = await render(`overlays/${overlay}`);
  });

  const services = () =>
    ofKind(resources, 'Deployment').filter(({ metadata }) => SERVICES.some((name) => name === metadata.name));
  const containers = (workload: Workload) => workload.spec.template.spec?.containers ?? [];
  const label = (workload: Workload, name: string) => workload.spec.template.metadata?.labels?.[name];

  it('has both services', () => {
    expect(services().map(({ metadata }) => metadata.name)).toEqual(SERVICES);
  });

  it('§2.5: gives each service the time for preStop, DRAIN_MS and what a stop takes beyond', () => {
    for (const { metadata, spec } of services()) {
      const pod = spec?.template.spec;
      const sleepS = pod?.containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const drainS = Number(settingsOf(resources, metadata.name)['DRAIN_MS']) / 1_000;
      expect(sleepS).toBeGreaterThanOrEqual(5);
      expect(pod?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
        sleepS + drainS + CUT_AFTER_S + MARGIN_S,
      );
    }
  });

  it('§2.4: asks for life and readiness on the admin port, and no store about life', () => {
    for (const service of services()) {
      const [container] = containers(service as Workload);
      const asked = (probe: 'startupProbe' | 'livenessProbe' | 'readinessProbe') =>
        `${container?.[probe]?.httpGet?.path} ${container?.[probe]?.httpGet?.port}`;
      expect(asked('startupProbe')).toBe('/livez admin');
      expect(asked('livenessProbe')).toBe('/livez admin');
      expect(asked('readinessProbe')).toBe('/readyz admin');
      // An answer may take 3 s.
      expect(container?.readinessProbe?.timeoutSeconds).toBeGreaterThan(3);
    }
  });

  it('§2.1: names the ports that the services have', () => {
    const known = SERVICES.map((name) => ({
      public: Number(defaultOf('PORT', name)),
      admin: Number(defaultOf('ADMIN_PORT', name)),
    }));
    const named = services().map((service) =>
      Object.fromEntries(
        (containers(service as Workload)[0]?.ports ?? []).map((port) => [port.name, port.containerPort]),
      ),
    );
    expect(named).toEqual(known);
  });

  it('routes to no admin port', () => {
    const admin = SERVICES.map((name) => Number(defaultOf('ADMIN_PORT', name)));
    const ports = ofKind(resources, 'Service').flatMap(({ spec }) => spec?.ports ?? []);
    expect(ports.filter(({ targetPort, port }) => targetPort === 'admin' || admin.includes(port))).toEqual(
      [],
    );
    const routes = JSON.stringify(resources.filter(({ kind }) => kind === 'HTTPRoute'));
    expect(admin.filter((port) => routes.includes(`"port":${port}`))).toEqual([]);
  });

  it('rolls without one process less', () => {
    for (const { spec } of services()) {
      expect(spec?.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    }
  });

  it('selects pods that are there', () => {
    const all = workloads(resources);
    const matches = (selector: Record<string, string> = {}) =>
      all.filter((one) => Object.entries(selector).every(([name, value]) => label(one, name) === value));
    for (const workload of all.filter(({ kind }) => kind !== 'Job')) {
      expect(matches(workload.spec.selector?.matchLabels)).toEqual([workload]);
    }
    for (const { spec } of ofKind(resources, 'Service')) {
      const targets = matches(spec?.selector);
      expect(targets).toHaveLength(1);
      const names = targets.flatMap(containers).flatMap(({ ports = [] }) => ports.map(({ name }) => name));
      expect(names).toEqual(expect.arrayContaining((spec?.ports ?? []).map((port) => port.targetPort)));
    }
    for (const budget of resources.filter(({ kind }) => kind === 'PodDisruptionBudget')) {
      const { selector } = budget.spec as { selector: { matchLabels: Record<string, string> } };
      expect(matches(selector.matchLabels).map(({ metadata }) => metadata.name)).toEqual([
        budget.metadata.name,
      ]);
    }
  });

  it('leaves the number of pods to the autoscaler where there is one', () => {
    const targets = resources
      .filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind))
      .map(({ spec }) => (spec as { scaleTargetRef: { name: string } }).scaleTargetRef.name);
    for (const { metadata, spec } of services()) {
      expect(spec?.replicas === undefined).toBe(targets.includes(metadata.name));
    }
  });

  it('pins every image, ours to this version', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    const images = workloads(resources).flatMap((one) => containers(one).map(({ image = '' }) => image));
    for (const image of images) {
      if (image.startsWith('posthorn/')) expect(image.split(':')[1]).toBe(version);
      expect(image).toMatch(/:\d+\.\d+(?:\.\d+)?$|@sha256:[0-9a-f]{64}$/);
    }
  });

  it('runs every container without root, without writing to its image, and without a way up', () => {
    for (const workload of workloads(resources)) {
      const pod = workload.spec.template.spec;
      expect(pod?.automountServiceAccountToken).toBe(false);
      expect(pod?.enableServiceLinks).toBe(false);
      expect(pod?.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { securityContext, resources: needs } of containers(workload)) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(Object.keys(needs?.requests ?? {}).sort()).toEqual(['cpu', 'memory']);
        expect(Object.keys(needs?.limits ?? {})).toEqual(['memory']);
      }
    }
  });

  it('keeps secrets in the Secret, by reference', () => {
    expect(resources.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    for (const map of ofKind(resources, 'ConfigMap')) {
      expect(Object.keys(map.data ?? {}).filter((key) => SECRETS.test(key))).toEqual([]);
    }
    for (const { name, value } of workloads(resources).flatMap((one) =>
      containers(one).flatMap(({ env = [] }) => env),
    )) {
      expect(`${name} ${SECRETS.test(name) && value !== undefined}`).toBe(`${name} false`);
    }
  });

  it('names only settings that there are', () => {
    const maps = ofKind(resources, 'ConfigMap').filter(({ metadata }) => /-settings-/.test(metadata.name));
    const named = [
      ...maps.flatMap(({ data }) => Object.keys(data ?? {})),
      ...services().flatMap(
        (service) => containers(service as Workload)[0]?.env?.map(({ name }) => name) ?? [],
      ),
    ];
    expect(named.length).toBeGreaterThan(6);
    expect(named.filter((name) => !Object.hasOwn(settingsCatalogue, name))).toEqual([]);
  });

  it('asks about its own namespace only', () => {
    const queries = JSON.stringify(resources.filter(({ kind }) => kind === 'ScaledObject'));
    const [{ metadata } = { metadata: { name: '' } }] = resources.filter(({ kind }) => kind === 'Namespace');
    const named = [...queries.matchAll(/namespace=\\+"([^"\\]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => name !== metadata.name)).toEqual([]);
  });
});

/** The settings of a service: both ConfigMaps together. */
function settingsOf(resources: readonly Resource[], service: string): Record<string, string> {
  const maps = ofKind(resources, 'ConfigMap').filter(({ metadata }) =>
    ['posthorn-settings', `${service}-settings`].some((name) => metadata.name.startsWith(`${name}-`)),
  );
  return Object.assign({}, ...maps.map(({ data }) => data)) as Record<string, string>;
}
