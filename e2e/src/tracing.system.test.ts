import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { eventually } from '@posthorn/testing';
import { World } from './fixture';

/** What the test looks at of a span, as OTLP has it. */
interface Span {
  service: string;
  environment: unknown;
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  attributes: Record<string, unknown>;
}

interface Export {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: (Omit<Span, 'service' | 'environment' | 'attributes'> & { attributes: Attribute[] })[];
    }[];
  }[];
}

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: number | string };
}

let collector: Server;
let world: World;
const spans: Span[] = [];

beforeAll(async () => {
  collector = createServer((request, response) => {
    void text(request).then((body) => {
      if (request.url === '/v1/traces') spans.push(...spansOf(JSON.parse(body) as Export));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const address = collector.address();
  if (address === null || typeof address === 'string') throw new Error('the collector has no port');
  world = await World.start({
    patientWith: ['postgres', 'redis'],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${address.port}`,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=tests',
    },
  });
});

afterAll(async () => {
  await world?.stop();
  collector?.closeAllConnections();
  await new Promise<void>((resolve) => void collector?.close(() => resolve()));
});

function spansOf({ resourceSpans }: Export): Span[] {
  const flat = (attributes: Attribute[]): Record<string, unknown> =>
    Object.fromEntries(
      attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
    );
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...span,
        service: String(flat(resource.attributes)['service.name']),
        environment: flat(resource.attributes)['deployment.environment.name'],
        attributes: flat(span.attributes),
      })),
    ),
  );
}

/** Each span of a trace as a path from its root, with the service that recorded it. */
function pathsOf(traceId: string): string[] {
  const own = spans.filter((span) => span.traceId === traceId);
  const pathOf = ({ name, service, parentSpanId }: Span): string => {
    const parent = own.find(({ spanId }) => spanId === parentSpanId);
    return `${parent === undefined ? '' : `${pathOf(parent)} > `}${service}:${name}`;
  };
  return own.map(pathOf).sort();
}

const ROOT = 'send-api:POST /v1/messages';
const WHOLE = [
  ROOT,
  `${ROOT} > send-api:commit`,
  `${ROOT} > send-api:route`,
  `${ROOT} > ws-gateway:deliver`,
  `${ROOT} > ws-gateway:deliver > ws-gateway:acknowledge`,
].sort();

async function sendTraced(from: string, to: string, flags = '01'): Promise<{ traceId: string; id: string }> {
  const traceId = randomBytes(16).toString('hex');
  const { body } = await world.ask<{ id: string }>(from, '/v1/messages', {
    method: 'POST',
    body: { to: [to], text: 'a secret of alice' },
    headers: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}` },
  });
  return { traceId, id: body.id };
}

it("one trace, the caller's, goes from the POST to the acknowledgement of a connected device", async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const client = await world.connect(bob);
  await client.nextOf('caughtUp');
  const { traceId, id } = await sendTraced(alice, bob);
  const { seq } = await client.nextOf('message');
  client.send({ type: 'ack', seq, ref: 1 });
  await client.nextOf('ok');
  await eventually('all spans are there', () => pathsOf(traceId).length === WHOLE.length);
  expect(pathsOf(traceId)).toEqual(WHOLE);
  expect(new Set(spans.map(({ environment }) => environment))).toEqual(new Set(['tests']));
  const delivered = spans.find((span) => span.traceId === traceId && span.name === 'deliver');
  expect(delivered?.attributes).toEqual({
    'messaging.message.id': id,
    'posthorn.seq': 1,
    'posthorn.source': 'live',
  });
});

it('the offline list keeps the trace until the device comes back', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const { traceId } = await sendTraced(alice, bob);
  await eventually('it is routed', () => pathsOf(traceId).length === 3);
  const client = await world.connect(bob);
  client.send({ type: 'ack', seq: (await client.nextOf('message')).seq, ref: 1 });
  await client.nextOf('ok');
  await eventually('all spans are there', () => pathsOf(traceId).length === WHOLE.length);
  expect(pathsOf(traceId)).toEqual(WHOLE);
  expect(spans.find((span) => span.traceId === traceId && span.name === 'deliver')?.attributes).toMatchObject(
    {
      'posthorn.source': 'list',
    },
  );
});

it('a caller that does not sample is followed in that, and rubbish begins a trace of its own', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const client = await world.connect(bob);
  await client.nextOf('caughtUp');
  const unsampled = await sendTraced(alice, bob, '00');
  const { body } = await world.ask<{ id: string }>(alice, '/v1/messages', {
    method: 'POST',
    body: { to: [bob], text: 'two' },
    headers: { traceparent: 'rubbish' },
  });
  await client.nextOf('message');
  await client.nextOf('message');
  const ofSecond = (): Span | undefined =>
    spans.find(
      ({ name, attributes }) => name === 'deliver' && attributes['messaging.message.id'] === body.id,
    );
  await eventually('the second is traced', () => ofSecond() !== undefined);
  expect(ofSecond()?.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(pathsOf(unsampled.traceId)).toEqual([]);
});

it('no span says what people wrote, or who they are', () => {
  expect(spans.length).toBeGreaterThan(10);
  expect(JSON.stringify(spans)).not.toMatch(/secret|alice|bob/);
});

it('a collector that is away holds up nothing, and is told of in the log', async () => {
  const apart = await World.start({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      // An export is tried again for so long, also at a stop: well below what a stop may take.
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    },
  });
  try {
    const [alice, bob] = [apart.user('alice'), apart.user('bob')];
    const client = await apart.connect(bob);
    await client.nextOf('caughtUp');
    await apart.send(alice, bob, 'one');
    expect((await client.nextOf('message')).message.text).toBe('one');
    await eventually('the log says so', () =>
      apart.sendApis.some((service) =>
        service.logs().some((line) => line.includes('traces could not be exported')),
      ),
    );
    for (const service of [...apart.sendApis, ...apart.gateways]) {
      expect(await service.stop()).toMatchObject({ code: 0 });
      expect(service.logs().filter((line) => line.includes('"level":"error"'))).toEqual([]);
    }
  } finally {
    await apart.stop();
  }
});
