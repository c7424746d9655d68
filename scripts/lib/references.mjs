/** The pages of docs/ that are generated from the build. Each function returns the text of one page. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { metricAdvice, primaryMetric } from './metric-advice.mjs';
import { root } from './run.mjs';

const require = createRequire(import.meta.url);
/** The build of a workspace package, or of one of its files. */
const built = (path) => require(join(root, path));

export async function settingsPage() {
  const { defaultOf, settingsCatalogue, settingOf } = built('libs/runtime/dist/index.js');
  const names = Object.keys(settingsCatalogue);
  const rows = names.map((name) => {
    const { services, required, meaning, example } = settingOf(name);
    const defaults = services.map((service) => defaultOf(name, service));
    const shown = [...new Set(defaults)].map((value) => (value === undefined ? 'unset' : code(value)));
    return [
      code(name),
      services.length === 2 ? 'both' : services[0],
      required ? '**required**' : shown.join(', '),
      meaning,
      allowed(settingOf(name)),
      /^[a-z]+ /.test(example) ? example : code(example),
    ];
  });
  return page(
    'Settings',
    'Every setting of both services ([PROTOCOL §2.3](../PROTOCOL.md#23-settings)). Settings come from the environment. An empty variable counts as unset. If a setting is wrong, the service stops at the start with exit code 78. It names every wrong setting at once and says what to correct.',
    `${names
      .filter((name) => settingOf(name).secret)
      .map(code)
      .join(
        ', ',
      )} may hold a credential. Each of them can come from a file instead, for example a mounted secret: set \`NAME_FILE\` to the path of the file. The last line break of the file is ignored.`,
    table(['name', 'service', 'default', 'meaning', 'accepted', 'example'], rows),
  );
}

export async function errorsPage() {
  const { problemsCatalogue } = built('libs/runtime/dist/index.js');
  const { frameErrors } = built('libs/protocol/dist/index.js');
  const problems = Object.entries(problemsCatalogue).map(([name, { status, title, meaning, remedy }]) => [
    code(name),
    String(status),
    title,
    meaning,
    remedy,
  ]);
  const frames = Object.entries(frameErrors).map(([name, { meaning, todo }]) => [code(name), meaning, todo]);
  return page(
    'Errors',
    'Every `code` that a client can get. The codes are stable.',
    '## HTTP problems\n\nThe body is `application/problem+json`. Its `type` is `urn:posthorn:error:CODE` ([PROTOCOL §4](../PROTOCOL.md#4-http-send-api)).\n',
    table(['code', 'status', 'title', 'when', 'what to do'], problems),
    '## Error frames\n\nThe `code` of an `error` frame on a WebSocket ([PROTOCOL §5.4](../PROTOCOL.md#54-bad-frames)).\n',
    table(['code', 'when', 'what to do'], frames),
  );
}

export async function cliPage() {
  const { createProgram, exits } = await import(join(root, 'libs/cli/dist/index.js'));
  const program = createProgram(
    () => undefined,
    () => undefined,
  );
  const helps = program.commands.map(
    (command) => `## ${command.name()}\n\n${block(command.helpInformation())}`,
  );
  const codes = Object.values(exits).map(({ code: number, meaning }) => [String(number), meaning]);
  return page(
    'The posthorn command',
    'In a clone, after `npm start` or a build: `node libs/cli COMMAND`, or `pnpm posthorn COMMAND`. It signs tokens with `AUTH_JWT_SECRET`, or uses the one in `POSTHORN_TOKEN`; beside a running `npm start` it needs no settings at all. Results go to stdout, everything else to stderr; with `--json` each result is a line of JSON.',
    block(program.helpInformation()),
    '## Exit codes\n',
    table(['code', 'meaning'], codes),
    ...helps,
  );
}

export async function chaosPage() {
  const { CATALOGUE } = built('chaos/dist/faults/catalogue.js');
  const { seededBugs } = built('chaos/dist/bugs/seeded-bugs.js');
  const { invariants } = built('chaos/dist/check/invariants.js');
  const faults = CATALOGUE.map(({ id, what, kinds }) => [
    code(id),
    what,
    kinds.length === 3 ? 'every' : kinds.join(', '),
  ]);
  const bugs = seededBugs.map(({ name, expected, faults: needed = [] }) => [
    name,
    needed.map(code).join(', ') || 'none',
    expected.join(', '),
  ]);
  return page(
    'The fault suite',
    'The invariants that `pnpm chaos` checks, the faults that it causes, and the bugs that it must find ([RELIABILITY](RELIABILITY.md)).',
    '## Invariants\n',
    list(Object.entries(invariants)),
    '## Faults\n',
    table(['fault', 'effect', 'kinds of Redis'], faults),
    '## Bugs on purpose\n\n`pnpm chaos --bug NAME` plays one bug, and `--bug all` plays each. The check must find a violation of every invariant named here.\n',
    table(['bug', 'fault that shows it', 'invariants'], bugs),
  );
}

export async function closeCodesPage() {
  const { closeCodes, mayReconnect } = built('libs/protocol/dist/index.js');
  const rows = Object.entries(closeCodes).map(([name, { code: number, meaning, todo }]) => [
    String(number),
    code(name),
    meaning,
    mayReconnect(number) ? 'yes' : 'no',
    todo,
  ]);
  return page(
    'Close codes',
    'Every code that the gateway closes a WebSocket with ([PROTOCOL §5.7](../PROTOCOL.md#57-close-codes)). A client reconnects, with backoff and jitter, after 1001, 1006, 1011, 1012, 1013 and 4000 to 4499, and after no other code. 1000, 1001 and 1002 come from the WebSocket protocol itself. 1006 means that the connection broke without a close code.',
    table(['code', 'name in the code', 'meaning', 'reconnect', 'what a client does'], rows),
  );
}

export async function metricsPage() {
  const { createMetrics } = built('libs/runtime/dist/index.js');
  const { createSendApiMetrics, watchPendingSends } = built('services/send-api/dist/index.js');
  const { createGatewayMetrics } = built('services/ws-gateway/dist/metrics.js');

  const sendApi = createMetrics('send-api');
  createSendApiMetrics(sendApi);
  watchPendingSends(sendApi, () => 0);
  const gateway = createMetrics('ws-gateway');
  createGatewayMetrics(gateway, { size: 0, all: () => [] });

  const [ofSendApi, ofGateway] = [await metricsOf(sendApi), await metricsOf(gateway)];
  const isCommon = ({ name }) => [ofSendApi, ofGateway].every((all) => all.some((one) => one.name === name));
  const common = [...ofSendApi.filter(isCommon), primaryMetric];
  const groups = [
    ['## Both services', common],
    ['## send-api', ofSendApi.filter((metric) => !isCommon(metric))],
    ['## ws-gateway', ofGateway.filter((metric) => !isCommon(metric))],
  ];
  assertSameNames(groups.flatMap(([, metrics]) => metrics.map(({ name }) => name)));
  return page(
    'Metrics',
    'The metrics of `GET /metrics` on the admin port ([PROTOCOL §2.4](../PROTOCOL.md#24-admin-port)). Node adds its own (`process_*`, `nodejs_*`). With `WORKERS` above 1, the values of all workers are summed.',
    ...groups.flatMap(([heading, metrics]) => [
      `${heading}\n`,
      table(METRIC_COLUMNS, metrics.map(metricRow)),
    ]),
  );
}

/** The Prometheus rules as an object for the Prometheus operator. */
export async function prometheusRule() {
  const source = 'deploy/monitoring/prometheus/posthorn.rules.yml';
  const rules = readFileSync(join(root, source), 'utf8');
  const groups = rules.slice(rules.indexOf('groups:')).replaceAll(/^(?=.)/gm, '  ');
  return `# Written by \`pnpm run docs\` from ${source}: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: posthorn
spec:
${groups}`;
}

const METRIC_COLUMNS = ['name', 'type', 'labels', 'measures', 'how to use it'];

function metricRow({ name, type, labels, help }) {
  return [code(name), type, labels.map(code).join(', '), help, metricAdvice[name]];
}

/** Our own metrics in a registry, without those of Node. */
async function metricsOf(registry) {
  const metrics = await registry.getMetricsAsJSON();
  return metrics
    .filter(({ name }) => name.startsWith('posthorn_'))
    .map(({ name, type, help }) => ({
      name,
      type,
      help,
      labels: [...registry.getSingleMetric(name).labelNames].filter((label) => label !== 'le'),
    }));
}

function assertSameNames(names) {
  const missing = names.filter((name) => !Object.hasOwn(metricAdvice, name));
  const gone = Object.keys(metricAdvice).filter((name) => !names.includes(name));
  if (missing.length + gone.length === 0) return;
  throw new Error(
    `scripts/lib/metric-advice.mjs: no advice for ${missing.join(', ') || 'none'}; no such metric: ${gone.join(', ') || 'none'}`,
  );
}

function allowed({ kind, minimum, maximum }) {
  if (kind === 'integer') return `${minimum} to ${maximum}`;
  return {
    'postgres-url': '`postgres://` or `postgresql://`',
    'redis-url':
      '`redis://HOST:PORT/DB`, `redis+sentinel://HOST:PORT,…/MASTER` or `redis+cluster://HOST:PORT,…`',
    'http-url': '`https://` or `http://`',
    secret: '32 bytes or more',
    'key-prefix': '1 to 64 of `A-Z a-z 0-9 . _ : -`',
    origins: 'origins as browsers send them, or `*`',
    'log-level': 'a level',
    text: 'any text',
  }[kind];
}

const NOTE = '<!-- Written by `pnpm run docs` from the code: change it there. -->';

function page(title, ...parts) {
  return `${[`# ${title}`, NOTE, ...parts]
    .join('\n\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

function table(columns, rows) {
  return [columns, columns.map(() => '---'), ...rows].map(line).join('\n');
}

/** A list of names, each with a sentence or more. */
function list(entries) {
  return entries.map(([name, text]) => `- **${name}:** ${text}`).join('\n');
}

function line(cells) {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function code(text) {
  return `\`${text}\``;
}

function block(text) {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}
