import { findPostgresUrlFault, POSTGRES_URL_EXAMPLE } from './postgres-url.ts';

test.each([
  POSTGRES_URL_EXAMPLE,
  'postgresql://u:p%25w@db.example/posthorn?sslmode=verify-full',
  'postgres://u@[::1]:5432/db',
  'postgres://u@%2Fvar%2Frun%2Fpostgresql/db',
  'postgres:///db?host=/var/run/postgresql',
])('§2.3: an address of Postgres is taken: %s', (url) => {
  expect(findPostgresUrlFault(url)).toBeNull();
});

test.each([
  ['', 'begins with postgres://'],
  ['foo', 'begins with postgres://'],
  ['postgres:foo', 'begins with postgres://'],
  ['postgres:/foo', 'begins with postgres://'],
  ['mysql://u:hunter2@h/db', 'begins with postgres://'],
  [' postgres://u:hunter2@h/db', 'begins with postgres://'],
  ['postgres://u:hunter2@h:99999/db', 'begins with postgres://'],
  ['postgres://us%zzer:hunter2@h/db', 'user name'],
  ['postgres://u:hunter2%@h/db', 'password'],
  ['postgres://u:hunter2@h/d%zzb', 'name of the database'],
  ['postgres://u:hunter2@h/db?sslmode=bogus', 'sslmode'],
])('§2.3: what is none is told by what is wrong, without the value: %s', (url, fault) => {
  expect(findPostgresUrlFault(url)).toContain(fault);
  expect(findPostgresUrlFault(url)).not.toMatch(/hunter2|bogus/);
});
