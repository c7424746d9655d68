import { parse } from 'yaml';
import { filesBelow, read } from '../docs/repository';

/** Where Prometheus' files are, relative to the repository's root. */
export const PROMETHEUS_FOLDER = 'deploy/monitoring/prometheus';

/** A rule of Prometheus: a recording rule or an alert. */
export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: { severity?: string };
  annotations?: { runbook_url?: string };
}

/** A query of a dashboard, and where it is. */
export interface PanelQuery {
  where: string;
  expr: string;
}

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

/** Every rule, in order. */
export function rules(): Rule[] {
  const { groups } = parse(read(`${PROMETHEUS_FOLDER}/posthorn.rules.yml`)) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap((group) => group.rules);
}

/** Every query of every dashboard, with Grafana's variables filled in. */
export function panelQueries(): PanelQuery[] {
  return filesBelow('deploy/monitoring/grafana/dashboards').flatMap((path) => {
    const { panels, annotations } = JSON.parse(read(path)) as {
      panels: Panel[];
      annotations: { list: { name: string; expr?: string }[] };
    };
    return [
      ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr }))),
      ...annotations.list.map(({ name, expr = '' }) => ({ title: name, expr })),
    ].map(({ title, expr }) => ({
      where: `${path}: ${title}`,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(?:namespace|instance)\b/g, '.*'),
    }));
  });
}

/** The metrics that a query names, without the suffixes of histograms. */
export function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/\b(?:posthorn|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
    name.replace(/_(?:bucket|sum|count)$/, ''),
  );
}
