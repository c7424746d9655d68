import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase } from '@posthorn/testing';
import { root } from './docs/repository';

const page = readFileSync(join(root, 'docs', 'SCALING.md'), 'utf8');

it('has the tables that pnpm simulate estimates from the figures of today', () => {
  const { stdout, status } = spawnSync(process.execPath, [join(root, 'bench', 'dist', 'simulate.js')], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const estimate = page.slice(page.indexOf('<!-- estimated'), page.indexOf('<!-- end of the estimate'));
  const rows = estimate
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
    .map((line) => line.slice(2, -2).split(' | '));
  const printed = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(/ {2,}/));
  expect(rows).toEqual(printed);
  expect(rows.length).toBeGreaterThan(8);
});

it('spreads each table by a column of its primary key, or of that of its partitions, and leaves none out', async () => {
  const database = await createTestDatabase();
  try {
    const keys = await database.query<{ name: string; columns: string[] }>(`
      SELECT coalesce(p.inhparent, c.oid)::regclass::text AS name, array_agg(a.attname::text) AS columns
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
        LEFT JOIN pg_inherits p ON p.inhrelid = c.oid
      WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'posthorn_migration'
      GROUP BY 1`);
    const spread = [...page.matchAll(/create_distributed_table\('(\w+)', '(\w+)'/g)].map(
      ([, table, column]) => [table, column],
    );
    const everywhere = [...page.matchAll(/create_reference_table\('(\w+)'/g)].map(([, table]) => table);
    expect([...spread.map(([table]) => table), ...everywhere].sort()).toEqual(
      keys.map(({ name }) => name).sort(),
    );
    for (const [table, column] of spread)
      expect(keys.find(({ name }) => name === table)?.columns).toContain(column);
  } finally {
    await database.drop();
  }
});
