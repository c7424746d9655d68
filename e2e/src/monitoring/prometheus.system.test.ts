import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrometheusServer, startPrometheus } from '@posthorn/stack';
import { eventually, hasTool } from '@posthorn/testing';
import { parse } from 'yaml';
import { tableRows } from '../docs/markdown';
import { read, root } from '../docs/repository';
import { World } from '../fixture';
import { metricsIn, PROMETHEUS_FOLDER, panelQueries, rules } from './rules';

const describeWithPrometheus = hasTool('prometheus') ? describe : describe.skip;

interface Config {
  global: object;
  rule_files: string[];
  scrape_configs: { job_name: string; dns_sd_configs?: unknown; static_configs?: unknown }[];
}

interface QueryAnswer {
  status: string;
  error?: string;
  data: { result: { metric: Record<string, string>; value: [number, string] }[] };
}

let world: World;
let prometheus: PrometheusServer;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-prometheus-'));
  world = await World.start({ patientWith: ['postgres', 'redis'] });
  prometheus = await startPrometheus(folder, configOf(world));
});

afterAll(async () => {
  await prometheus?.stop();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describeWithPrometheus('a real Prometheus that scrapes a real run', () => {
  it('finds every process, evaluates every rule, knows every metric of the dashboards, and alerts of nothing', async () => {
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const client = await world.connect(bob);
    // One by each send-api: a counter with labels begins with its first send, and has a rate from the second on.
    const traffic = async () => {
      for (const text of ['one', 'two']) {
        await world.send(alice, bob, text);
        const { seq } = await client.nextOf('message');
        client.send({ type: 'ack', seq });
      }
    };
    await eventually('all four are scraped', async () => (await first('sum(up)')) === 4);
    await traffic();
    await eventually(
      'both sends are scraped',
      async () => (await first('count(posthorn_sends_total{outcome="accepted"} == 1)')) === 2,
    );
    await traffic();
    await eventually(
      'the sends have a rate',
      async () => ((await first('sum(rate(posthorn_sends_total{outcome="accepted"}[1m]))')) ?? 0) > 0,
    );
    expect(await first('count by (service) (up{job="posthorn", service="ws-gateway"})')).toBe(2);

    const names = new Set([...panelQueries(), ...rules()].flatMap(({ expr }) => metricsIn(expr)));
    const known = await values('__name__');
    // A counter with labels is there once it has counted; the others are there from the start.
    const missing = [...names].filter(
      (name) => !known.some((one) => one === name || one === `${name}_count`) && !isLabelled(name),
    );
    expect(missing).toEqual([]);
    for (const { where, expr } of panelQueries()) {
      const { status, error } = await query(expr);
      expect({ where, status, error }).toEqual({ where, status: 'success', error: undefined });
    }
    const evaluated = await eventually('every rule was evaluated', async () => {
      const { groups } = (await api('rules')) as {
        groups: { rules: { name: string; health: string; state?: string }[] }[];
      };
      const all = groups.flatMap((group) => group.rules);
      return all.every(({ health }) => health !== 'unknown') && all;
    });
    expect(evaluated).toHaveLength(rules().length);
    expect(evaluated.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(evaluated.filter(({ state }) => state === 'firing')).toEqual([]);
  });
});

/** An answer may take as long: a process that is slow counts as gone. */
const PACE = '3s';

/** The configuration as it is, but for where the processes are and for its pace. */
function configOf({ sendApis, gateways }: World): string {
  const config = parse(read(`${PROMETHEUS_FOLDER}/prometheus.yml`)) as Config;
  config.global = { scrape_interval: PACE, evaluation_interval: PACE };
  config.rule_files = [join(root, PROMETHEUS_FOLDER, 'posthorn.rules.yml')];
  for (const scrape of config.scrape_configs) {
    const services = scrape.job_name.endsWith('send-api') ? sendApis : gateways;
    delete scrape.dns_sd_configs;
    scrape.static_configs = [{ targets: services.map(({ adminUrl }) => new URL(adminUrl).host) }];
  }
  const file = join(folder, 'prometheus.json');
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Whether it is a counter with labels, or one that only a primary of `WORKERS` has. */
/** There once a worker was started again, or garbage collected: an idle process has room for much of it. */
const SELDOM = ['posthorn_worker_restarts_total', 'nodejs_gc_duration_seconds'];

function isLabelled(name: string): boolean {
  const [, type = '', labels = ''] = metricRows().find(([cell]) => cell === `\`${name}\``) ?? [];
  return SELDOM.includes(name) || (type === 'counter' && labels !== '');
}

function metricRows(): string[][] {
  const page = read('docs/metrics.md');
  return ['## Both', '## send-api', '## ws-gateway'].flatMap((heading) => tableRows(page, heading));
}

async function first(expr: string): Promise<number | undefined> {
  const [row] = (await query(expr)).data.result;
  return row === undefined ? undefined : Number(row.value[1]);
}

async function query(expr: string): Promise<QueryAnswer> {
  const response = await fetch(`${prometheus.url}/api/v1/query`, {
    method: 'POST',
    body: new URLSearchParams({ query: expr }),
  });
  return (await response.json()) as QueryAnswer;
}

async function values(label: string): Promise<string[]> {
  return (await api(`label/${label}/values`)) as string[];
}

async function api(path: string): Promise<unknown> {
  const answer = (await (await fetch(`${prometheus.url}/api/v1/${path}`)).json()) as { data: unknown };
  return answer.data;
}
