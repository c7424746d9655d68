import { findChromium } from './find-chromium';
import { findHaproxy } from './find-haproxy';
import { findKubectl } from './find-kubectl';
import { findPrometheus } from './find-prometheus';

export type TestToolName = 'haproxy' | 'prometheus' | 'kubectl' | 'chromium';

/** A tool that only some system tests need. */
export interface TestTool {
  name: TestToolName;
  /** Its name in messages. */
  title: string;
  /** What the tests use it for, to help somebody decide whether to get it. */
  purpose: string;
  /** How to get it. */
  install: string;
  /** Finds it, or fetches it if the distribution has it. @throws with the ways to get it */
  find(): Promise<unknown>;
}

/** Every such tool, in the order of the search. */
export const testTools: readonly TestTool[] = [
  {
    name: 'haproxy',
    title: 'HAProxy',
    purpose: 'a rolling restart behind the balancer of deploy/haproxy',
    install: 'apt-get install haproxy, or brew install haproxy',
    find: () => findHaproxy(),
  },
  {
    name: 'prometheus',
    title: 'Prometheus',
    purpose: 'the alerts and the queries of the dashboards in deploy/monitoring',
    install: 'apt-get install prometheus, or brew install prometheus',
    find: () => findPrometheus(),
  },
  {
    name: 'kubectl',
    title: 'kubectl',
    purpose: 'the manifests of deploy/kubernetes',
    install: 'https://kubernetes.io/docs/tasks/tools, or brew install kubernetes-cli',
    find: () => findKubectl(),
  },
  {
    name: 'chromium',
    title: 'Chromium',
    purpose: 'the client library, the demo page and the inspector in a browser',
    install: 'apt-get install chromium, or brew install --cask chromium',
    find: () => findChromium(),
  },
];
