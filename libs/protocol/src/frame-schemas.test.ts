import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { clientFrameKinds } from './frame-schemas.ts';
import { parseClientFrame } from './parse-client-frame.ts';

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
addFormats.default(ajv);
const validators = Object.values(clientFrameKinds).map(({ schema }): ValidateFunction => ajv.compile(schema));

function fitsSchema(frame: unknown): boolean {
  return validators.some((validate) => validate(frame));
}

function isTaken(frame: unknown): boolean {
  return 'frame' in parseClientFrame(JSON.stringify(frame));
}

const ID = '019a5f3c-6c1e-7b52-9f0e-2f4a1f0c7d11';
/** What a field may hold, right and wrong. */
const values = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'x',
    'x'.repeat(128),
    'x'.repeat(129),
    ID,
    ID.toUpperCase(),
    0,
    1,
    -1,
    1.5,
    2 ** 53,
    null,
    true,
  ),
  fc.array(fc.constantFrom<unknown>(ID, 'no id', 7), { maxLength: 3 }),
  fc.constant(Array.from({ length: 101 }, () => ID)),
  fc.object({ maxDepth: 1 }),
);
const frames = fc.record(
  {
    type: fc.oneof({ weight: 9, arbitrary: fc.constantFrom('ack', 'read', 'auth', 'ping') }, values),
    seq: values,
    ids: values,
    token: values,
    ref: values,
    extra: values,
  },
  { requiredKeys: [] },
);
/** Of one kind, with its own fields: most of them right. */
const likely = fc.oneof(
  fc.record(
    { type: fc.constant('ack'), seq: fc.nat(), ref: fc.oneof(fc.string(), fc.integer()) },
    { requiredKeys: ['type', 'seq'] },
  ),
  fc.record(
    { type: fc.constant('read'), ids: fc.array(fc.uuid(), { maxLength: 3 }), ref: values },
    { requiredKeys: ['type', 'ids'] },
  ),
  fc.record({ type: fc.constant('auth'), token: fc.string() }),
  fc.record({ type: fc.constant('ping'), ref: values }, { requiredKeys: ['type'] }),
);

test('§5.3: the schemas take exactly the frames that the gateway takes', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(frames, likely), (frame) => {
      if (isTaken(frame)) taken += 1;
      expect({ frame, fits: fitsSchema(frame) }).toEqual({ frame, fits: isTaken(frame) });
    }),
    { numRuns: 3_000 },
  );
  expect(taken).toBeGreaterThan(300);
});
