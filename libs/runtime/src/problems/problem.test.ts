import { Problem, problem, problemBody, problemOfParserError, problemResponse } from './problem';
import { problemsCatalogue } from './problems-catalogue';

it('carries what its kind says, and what the occurrence adds', () => {
  const found = problem('invalid_message', {
    detail: 'The body has 1 error.',
    errors: [{ pointer: '/to', detail: 'has to be there' }],
  });
  expect(found).toBeInstanceOf(Problem);
  expect(found).toBeInstanceOf(Error);
  expect(problemBody(found)).toEqual({
    type: 'urn:posthorn:error:invalid_message',
    title: 'Body is not valid',
    status: 422,
    detail: 'The body has 1 error.',
    code: 'invalid_message',
    errors: [{ pointer: '/to', detail: 'has to be there' }],
  });
});

it('has a sentence, and no `errors`, where nothing is added', () => {
  expect(problemBody(problem('not_found'))).toEqual({
    type: 'urn:posthorn:error:not_found',
    title: 'Not found',
    status: 404,
    detail: problemsCatalogue.not_found.meaning,
    code: 'not_found',
  });
});

it('carries the headers that its status asks for; an occurrence may replace them', () => {
  expect(problem('unauthorized').headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
  for (const code of ['rate_limited', 'unavailable', 'draining', 'overloaded'] as const) {
    expect(Number(problem(code).headers['Retry-After'])).toBeGreaterThan(0);
  }
  expect(problem('rate_limited', { headers: { 'Retry-After': '7' } }).headers['Retry-After']).toBe('7');
});

it('keeps its cause for the log, out of the body', () => {
  const cause = new Error('inside');
  const found = problem('unavailable', { cause });
  expect(found.cause).toBe(cause);
  expect(JSON.stringify(problemBody(found))).not.toContain('inside');
});

it('covers every status of the protocol, with codes in one spelling', () => {
  const statuses = new Set(Object.values(problemsCatalogue).map(({ status }) => status));
  expect([...statuses].sort((one, other) => one - other)).toEqual([
    400, 401, 403, 404, 405, 408, 413, 415, 422, 426, 429, 431, 500, 503,
  ]);
  expect(Object.keys(problemsCatalogue).every((code) => /^[a-z]+(?:_[a-z0-9]+)*$/.test(code))).toBe(true);
});

it('can be written to a bare socket, and nothing can be smuggled into its headers', () => {
  const text = problemResponse(problem('forbidden_origin', { headers: { 'X-A': 'a\r\nX-B: b' } }), 'r1');
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(head.split('\r\n')[0]).toBe('HTTP/1.1 403 Forbidden');
  expect(head).toContain('X-A: a X-B: b');
  expect(head).toContain('Content-Type: application/problem+json');
  expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
  expect(head).toContain('X-Request-Id: r1');
  expect(head).toContain('Connection: close');
  expect(JSON.parse(body)).toMatchObject({ code: 'forbidden_origin', status: 403 });
});

it.each([
  ['HPE_HEADER_OVERFLOW', 431],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_INVALID_METHOD', 400],
])('the parser error %s is %i', (code, status) => {
  expect(problemOfParserError(Object.assign(new Error('x'), { code })).status).toBe(status);
});
