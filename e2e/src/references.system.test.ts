import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ServerFrame, serverFrameKinds } from '@posthorn/protocol';
import { eventually } from '@posthorn/testing';
import { Ajv2020 } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { repoFile } from './docs/repository';
import { World } from './fixture';

let world: World;
let folder: string;

beforeAll(async () => {
  world = await World.start({ patientWith: ['postgres', 'redis'] });
  folder = mkdtempSync(join(tmpdir(), 'posthorn-references-'));
});

afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

it.each(['openapi.json', 'asyncapi.json'])('§4.9: %s passes its linter', async (name) => {
  const response = await fetch(`${world.sendApis[0]?.url}/${name}`);
  expect(response.headers.get('content-type')).toBe('application/json');
  writeFileSync(join(folder, name), await response.text());
  writeFileSync(join(folder, 'redocly.yaml'), RULES);
  const lint = repoFile('e2e/node_modules/@redocly/cli/bin/cli.js');
  const args = [lint, 'lint', name, '--config', 'redocly.yaml', '--format', 'stylish'];
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  await expect(promisify(execFile)(process.execPath, args, { cwd: folder, env })).resolves.toBeDefined();
});

/** All that is recommended; a server of one's own has no one address that could be named. */
const RULES = `extends: [recommended]
rules:
  no-server-example.com: off
  no-empty-servers: off
`;

const ANSWERS: readonly ServerFrame['type'][] = ['ok', 'error', 'pong'];

it('§5.2: every kind of frame that a gateway sends fits its schema, without a field more', async () => {
  const [alice, bob] = [world.user('alice'), world.user('bob')];
  const sender = await world.connect(alice);
  await world.send(alice, bob, 'not kept');
  await world.database.query('DELETE FROM inbox_entry WHERE user_id = $1', [bob]);
  await world.redis.client.del(`${world.redis.prefix}{${bob}}:offline`);
  const client = await world.connect(bob, { after: '5' });
  const { message, seq } = await world.send(alice, bob, 'hello').then(() => client.nextOf('message'));
  client.send({ type: 'ack', seq, ref: 1 });
  client.send({ type: 'read', ids: [message.id], ref: 'two' });
  client.send({ type: 'ping' });
  client.send({ type: 'ack', seq: 99 });
  await sender.nextOf('receipt');
  await eventually(
    'all is answered',
    () => client.frames.filter(({ type }) => ANSWERS.includes(type)).length === 4,
  );
  const stopped = world.gateways[0]?.stop();
  await client.nextOf('goodbye');
  await stopped;
  const frames: readonly ServerFrame[] = [...client.frames, ...sender.frames];

  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  addFormats.default(ajv);
  const seen = new Set(frames.map(({ type }) => type));
  expect([...seen].sort()).toEqual(Object.keys(serverFrameKinds).sort());
  for (const frame of frames) {
    const validate = ajv.compile({ ...serverFrameKinds[frame.type].schema, additionalProperties: false });
    expect({ frame, fits: validate(frame), errors: validate.errors }).toEqual({
      frame,
      fits: true,
      errors: null,
    });
  }
});
