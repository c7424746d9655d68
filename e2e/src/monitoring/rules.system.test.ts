import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPrometheus } from '@posthorn/stack';
import { hasTool } from '@posthorn/testing';
import { parse } from 'yaml';
import { codeSpans, section, tableRows } from '../docs/markdown';
import { filesBelow, read, root } from '../docs/repository';
import { metricsIn, PROMETHEUS_FOLDER, panelQueries, rules } from './rules';

const describeWithPrometheus = hasTool('prometheus') ? describe : describe.skip;

const RUNBOOKS = 'docs/runbooks';
const SECTIONS = ['## What it means', '## What users see', '## Look', '## Do', '## Escalate'];

interface RuleTest {
  alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[];
}

const alerts = rules().flatMap((rule) => (rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }]));
const catalogue = new Set(
  ['## Both', '## send-api', '## ws-gateway'].flatMap((heading) =>
    tableRows(read('docs/metrics.md'), heading).flatMap(([name = '']) => codeSpans(name)),
  ),
);
const recorded = new Set(rules().flatMap(({ record = [] }) => record));
const pages = filesBelow(RUNBOOKS).filter((path) => !path.endsWith('/README.md'));

let promtool = '';
describeWithPrometheus('promtool', () => {
  beforeAll(async () => {
    ({ promtool } = await findPrometheus());
  });

  it('takes the configuration and the rules', () => {
    expect(run('check', 'config', join(root, PROMETHEUS_FOLDER, 'prometheus.yml'))).toMatch(/SUCCESS/);
  });

  it('sees each alert fire once, and none where all is well', () => {
    expect(run('test', 'rules', join(root, PROMETHEUS_FOLDER, 'tests', 'posthorn.test.yml'))).toMatch(
      /SUCCESS/,
    );
  });

  it('can read every query of every dashboard', () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-queries-'));
    const rows = panelQueries().map(({ expr }, index) => ({ record: `query:${index}`, expr }));
    const file = join(folder, 'queries.json');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules: rows }] }));
    expect(run('check', 'rules', file)).toMatch(new RegExp(`SUCCESS: ${rows.length} rules found`));
    rmSync(folder, { recursive: true });
  });
});

describe('the alert rules', () => {
  it('have each a test in which it fires, and one in which it stays silent', () => {
    const { tests } = parse(read(`${PROMETHEUS_FOLDER}/tests/posthorn.test.yml`)) as { tests: RuleTest[] };
    const expected = tests.flatMap((test) => test.alert_rule_test);
    const firing = expected.filter(({ exp_alerts = [] }) => exp_alerts.length === 1);
    const silent = expected.filter(({ exp_alerts = [] }) => exp_alerts.length === 0);
    for (const { alert } of alerts) {
      expect(firing.map(({ alertname }) => alertname)).toContain(alert);
      expect(silent.map(({ alertname }) => alertname)).toContain(alert);
    }
  });

  it('say how urgent they are, and which page to read', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(['critical', 'warning']).toContain(labels?.severity);
      expect(annotations?.runbook_url).toContain(`}}${RUNBOOKS}{{ end }}/${alert}.md`);
    }
  });

  it('have each a page, and each page has an alert', () => {
    expect(pages).toEqual(alerts.map(({ alert }) => `${RUNBOOKS}/${alert}.md`).sort());
    const listed = tableRows(read(`${RUNBOOKS}/README.md`), '# Runbooks').slice(1);
    expect(listed.map(([name, severity]) => `${name} ${severity}`)).toEqual(
      alerts.map(({ alert, labels }) => `[${alert}](${alert}.md) ${labels?.severity}`),
    );
  });
});

describe('the runbooks', () => {
  it.each(pages)(
    '%s says what it means, what users see, where to look, what to do, and whom to call',
    (path) => {
      for (const heading of SECTIONS) expect(section(read(path), heading).trim()).not.toBe('');
    },
  );
});

describe('every metric', () => {
  it('of the rules is one that the services have', () => {
    expect(unknownIn(rules().map(({ expr }) => ({ where: 'rules', expr })))).toEqual([]);
  });

  it('of the dashboards is one that the services have', () => {
    expect(panelQueries().length).toBeGreaterThan(50);
    expect(unknownIn(panelQueries())).toEqual([]);
  });

  it('of the runbooks is one that the services have', () => {
    expect(unknownIn(pages.map((path) => ({ where: path, expr: read(path) })))).toEqual([]);
  });

  it('of the services is on a dashboard', () => {
    const shown = new Set(panelQueries().flatMap(({ expr }) => metricsIn(expr)));
    const others = [...catalogue].filter((name) => !shown.has(name));
    // It names the services; the lists of processes on the dashboards are made from it.
    expect(others.filter((name) => name !== 'posthorn_info' && name.startsWith('posthorn_'))).toEqual([]);
  });
});

/** Names of ours that the catalogue does not have; Node's own are checked against a running stack. */
function unknownIn(queries: readonly { where: string; expr: string }[]): string[] {
  return queries.flatMap(({ where, expr }) => {
    const ours = metricsIn(expr).filter((name) => name.startsWith('posthorn_') && !catalogue.has(name));
    const rates = [...expr.matchAll(/posthorn:[a-z0-9_:]+/g)].map(([name]) => name);
    return [...ours, ...rates.filter((name) => !recorded.has(name))].map((name) => `${where}: ${name}`);
  });
}

function run(...args: string[]): string {
  const { stdout, stderr } = spawnSync(promtool, args, { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}
