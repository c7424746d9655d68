import { masked } from './effective-settings.ts';

test.each([
  ['postgres://u:hush@host:5432/db', 'postgres://***@host:5432/db'],
  ['postgres://host/db?sslmode=require&password=hush', 'postgres://host/db?***'],
  ['redis://:hush@host', 'redis://***@host'],
  ['redis+sentinel://:hush@h1:1,h2:2/main', 'redis+sentinel://***@h1:1,h2:2/main'],
  // Not as they should be written, and not to be told for that.
  ['redis://u:hu@sh@host', 'redis://***@host'],
  ['postgres://u:hu/sh@host/db', 'postgres://***@host/db'],
  ['postgres://u:hu?sh@host/db', 'postgres://***@host/db'],
  ['postgres://u:hu#s@h@host/db?x=hush', 'postgres://***@host/db?***'],
  ['postgres://u:hu\nsh@host', 'postgres://***@host'],
  ['hush', '(4 bytes, not shown)'],
])('shows nothing secret of %j', (value, shown) => {
  expect(masked(value)).toBe(shown);
  expect(masked(value)).not.toContain('hush');
});
