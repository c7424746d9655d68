import { bearerFrom } from './bearer';
import { requestIdFrom } from './request-id';

describe('bearerFrom', () => {
  it.each([
    ['Bearer abc.def.ghi', 'abc.def.ghi'],
    ['bearer abc', 'abc'],
    ['BEARER   abc==', 'abc=='],
  ])('reads %j', (header, token) => {
    expect(bearerFrom(header)).toBe(token);
    expect(bearerFrom([header])).toBe(token);
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic abc',
    'abc',
    'Bearer a b',
    'Bearer a,Bearer b',
    'Bearer é',
  ])('finds no token in %j', (header) => {
    expect(bearerFrom(header)).toBeNull();
  });

  it('takes a header that came twice for none', () => {
    expect(bearerFrom(['Bearer a', 'Bearer a'])).toBeNull();
    expect(bearerFrom([])).toBeNull();
  });
});

describe('requestIdFrom', () => {
  it.each(['a', 'A.b_c-1', 'x'.repeat(128)])('keeps %j', (id) => {
    expect(requestIdFrom(id)).toBe(id);
    expect(requestIdFrom([id])).toBe(id);
  });

  it.each([undefined, '', 'x'.repeat(129), 'a b', 'a\n', 'é', 'a/b', ['a', 'b']])('replaces %j', (id) => {
    expect(requestIdFrom(id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });
});
