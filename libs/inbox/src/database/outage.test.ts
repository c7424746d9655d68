import { DatabaseError } from 'pg';
import { asOutage, isRetryable, OutageError } from './outage';

function serverError(code: string): DatabaseError {
  const error = new DatabaseError('from the server', 0, 'error');
  error.code = code;
  error.severity = 'ERROR';
  return error;
}

test.each([
  ['08006', 'a connection failure'],
  ['28P01', 'a wrong password'],
  ['3D000', 'a missing database'],
  ['53300', 'too many connections'],
  ['57014', 'a statement that was cancelled'],
  ['57P01', 'a shutdown'],
  ['57P03', 'a server that starts'],
  ['58030', 'a disk error'],
  ['XX001', 'corrupted data'],
  ['25006', 'a standby that only reads'],
  ['25P03', 'a transaction that idled too long'],
  ['40001', 'a serialization failure'],
  ['40P01', 'a deadlock'],
  ['42501', 'a missing grant'],
  ['42P01', 'a schema that is behind'],
  ['42703', 'a schema that is behind by a column'],
  ['55P03', 'a lock timeout'],
])('§4: %s is an outage: %s', (state) => {
  const error = serverError(state);
  expect(asOutage(error)).toBeInstanceOf(OutageError);
  expect(asOutage(error)).toMatchObject({ cause: error });
});

test.each(['22021', '22P05', '23505', '42601', '54000'])(
  '§4: %s is the statement’s own fault, not an outage',
  (state) => {
    const error = serverError(state);
    expect(asOutage(error)).toBe(error);
  },
);

test.each([
  ['a refused connection', Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })],
  ['a reset', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
  ['a broken pipe, whose code looks like a state', Object.assign(new Error('pipe'), { code: 'EPIPE' })],
  ['a timeout of the client', new Error('Query read timeout')],
  ['an exhausted pool', new Error('timeout exceeded when trying to connect')],
  ['something that is no error', 'gone'],
])('§4: what never came from the server is an outage: %s', (_name, error) => {
  expect(asOutage(error)).toBeInstanceOf(OutageError);
});

test('an outage stays the outage that it is', () => {
  const outage = new OutageError('x');
  expect(asOutage(outage)).toBe(outage);
});

test('§1: only a deadlock or a serialization failure may be run again', () => {
  expect(
    ['40001', '40P01', '57014', '55P03', '23505'].filter((state) => isRetryable(serverError(state))),
  ).toEqual(['40001', '40P01']);
  expect(isRetryable(new Error('40001'))).toBe(false);
});
