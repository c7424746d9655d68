/**
 * `pnpm run docs [--check]`: writes the references in docs/ and the PrometheusRule from the build. With --check it
 * fails if one differs from the build.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  chaosPage,
  cliPage,
  closeCodesPage,
  errorsPage,
  metricsPage,
  prometheusRule,
  settingsPage,
} from './lib/references.mjs';
import { root } from './lib/run.mjs';

const EX_USAGE = 64;
const PAGES = {
  'docs/settings.md': settingsPage,
  'docs/errors.md': errorsPage,
  'docs/close-codes.md': closeCodesPage,
  'docs/metrics.md': metricsPage,
  'docs/chaos.md': chaosPage,
  'docs/cli.md': cliPage,
  'deploy/kubernetes/components/monitoring/prometheus-rule.yaml': prometheusRule,
};

const args = process.argv.slice(2);
if (args.some((arg) => arg !== '--check')) {
  process.stderr.write('usage: pnpm run docs [--check]\n');
  process.exit(EX_USAGE);
}
const isCheck = args.includes('--check');

const stale = [];
for (const [name, page] of Object.entries(PAGES)) {
  const file = join(root, name);
  const text = await page();
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  stale.push(name);
  if (!isCheck) writeFileSync(file, text);
}
if (stale.length > 0) {
  process.stdout.write(
    isCheck ? `not as the code is: ${stale.join(', ')}. ` : `written: ${stale.join(', ')}\n`,
  );
  if (isCheck) process.stdout.write('Run: pnpm build && pnpm run docs\n');
}
process.exitCode = isCheck && stale.length > 0 ? 1 : 0;
