import { hasTool } from '@posthorn/testing';
import { complaintsAbout } from './models';
import { OVERLAYS, type Resource, render } from './rendered';

const itWithKubectl = hasTool('kubectl') ? it : it.skip;

itWithKubectl.each(OVERLAYS)('%s renders to what the models of its kinds allow', async (overlay) => {
  const resources = await render(`overlays/${overlay}`);
  expect(resources.length).toBeGreaterThan(15);
  expect(complaintsAbout(resources)).toEqual([]);
});

itWithKubectl(
  'notices a field that does not exist, a value of the wrong type, and one that is missing',
  () => {
    const deployment = (spec: object): Resource => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'wrong' },
      spec: { selector: {}, template: {}, ...spec },
    });
    const complaints = complaintsAbout([
      deployment({ replica: 2 }),
      deployment({ replicas: '2' }),
      { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'wrong' }, spec: {} },
    ]);
    for (const pattern of [/"replica"' does not exist/, /replicas must be integer/, /scaleTargetRef/]) {
      expect(complaints.filter((line) => pattern.test(line))).not.toEqual([]);
    }
  },
);
