import { judge } from './api.ts';

const problem = (code: string): string => JSON.stringify({ code, detail: 'Why.', status: 0 });

describe('judge', () => {
  it.each([
    [201, '{"id":"1"}', { kind: 'done', body: { id: '1' } }],
    [204, '', { kind: 'done', body: undefined }],
    [422, problem('invalid_message'), { kind: 'refused', problem: { status: 422, code: 'invalid_message' } }],
    [404, problem('not_found'), { kind: 'refused' }],
    // Not of send-api: a proxy on the way, or a wrong address.
    [404, '<html>', { kind: 'later', why: 'HTTP 404' }],
    [413, '', { kind: 'later' }],
    [401, problem('unauthorized'), { kind: 'later', isTokenBad: true }],
    [408, problem('request_timeout'), { kind: 'later' }],
    [429, problem('rate_limited'), { kind: 'later' }],
    [503, problem('unavailable'), { kind: 'later', why: 'unavailable: Why.' }],
    [502, 'bad gateway', { kind: 'later', why: 'HTTP 502' }],
  ])('§4.7: %i %s', (status, text, expected) => {
    expect(judge(status, text, null)).toMatchObject(expected);
  });

  it('§4.3: waits as long as Retry-After says, and a little more', () => {
    const waits = Array.from({ length: 50 }, () => judge(429, problem('rate_limited'), '2'));
    for (const answer of waits) {
      expect(answer.kind === 'later' ? answer.waitMs : 0).toBeGreaterThan(2_000);
    }
    expect(judge(503, '', 'Thu, 26 Nov 2026 00:00:00 GMT')).toMatchObject({ waitMs: undefined });
  });

  it('§4: names the fields that are wrong', () => {
    const text = JSON.stringify({
      code: 'invalid_message',
      detail: 'No.',
      errors: [{ pointer: '/to', detail: 'empty' }],
    });
    expect(judge(422, text, null)).toMatchObject({ problem: { detail: 'No. /to: empty' } });
  });
});
