import type { QueryRunner } from 'typeorm';
import { type LintedMigration, lintMigration } from '../../test/lint-migration';
import { migrations } from './schema';

/** A migration of these statements. */
function migrationOf(statements: readonly string[], more: Partial<LintedMigration> = {}): LintedMigration {
  return {
    ...more,
    up: async (runner: QueryRunner) => {
      for (const statement of statements) await runner.query(statement);
    },
    down: async () => undefined,
  };
}

it.each(migrations.map((migration) => [migration.name, migration] as const))(
  '%s stops neither services that run nor the version before',
  async (_name, Migration) => {
    expect(await lintMigration(new Migration())).toEqual([]);
  },
);

it.each([
  ['CREATE INDEX i ON inbox (newest_seq)', /CREATE INDEX CONCURRENTLY/],
  ['DROP INDEX i', /DROP INDEX CONCURRENTLY/],
  ['ALTER TABLE inbox ADD COLUMN a int NOT NULL', /cannot insert/],
  ['ALTER TABLE inbox ADD COLUMN a uuid DEFAULT gen_random_uuid()', /constant/],
  ['ALTER TABLE inbox ADD COLUMN a int CHECK (a > 0)', /CONSTR_CHECK/],
  ['ALTER TABLE inbox ADD COLUMN a int UNIQUE', /CONSTR_UNIQUE/],
  ['ALTER TABLE inbox ADD CONSTRAINT c CHECK (newest_seq > 1)', /NOT VALID/],
  ['ALTER TABLE inbox ADD CONSTRAINT c UNIQUE (newest_seq)', /USING INDEX/],
  ['ALTER TABLE inbox ADD FOREIGN KEY (user_id) REFERENCES device', /NOT VALID/],
  ['ALTER TABLE inbox ALTER newest_seq SET NOT NULL', /VALIDATE CONSTRAINT/],
  ['ALTER TABLE inbox ALTER newest_seq TYPE numeric', /written anew/],
  ['ALTER TABLE inbox DROP COLUMN newest_seq', /`contracts`/],
  ['ALTER TABLE inbox SET UNLOGGED', /not known to be safe/],
  ['ALTER TABLE inbox DISABLE TRIGGER ALL', /not known to be safe/],
  ['DROP TABLE inbox', /`contracts`/],
  ['ALTER TABLE inbox RENAME newest_seq TO newest', /old name/],
  ['ALTER TABLE inbox RENAME TO boxes', /old name/],
  ['ALTER TABLE inbox RENAME TO boxes; CREATE TABLE other (a int)', /old name/],
  ['ALTER TABLE inbox RENAME CONSTRAINT inbox_pkey TO other', /old name/],
  [
    'ALTER TABLE inbox RENAME TO old; CREATE TABLE inbox (a int) PARTITION BY RANGE (a); ALTER TABLE inbox ATTACH PARTITION old FOR VALUES FROM (MINVALUE) TO (7)',
    /attaching a partition of a part/,
  ],
  ['UPDATE inbox SET newest_seq = 1', /UpdateStmt/],
  ['DELETE FROM inbox', /DeleteStmt/],
  ['INSERT INTO inbox SELECT user_id, 1 FROM device', /in batches/],
  ['TRUNCATE inbox', /TruncateStmt/],
  ['LOCK TABLE inbox', /LockStmt/],
  ['VACUUM FULL inbox', /VacuumStmt/],
  ['REINDEX TABLE inbox', /ReindexStmt/],
  ['SELECT lo_unlink(1)', /SelectStmt/],
])('refuses: %s', async (statement, fault) => {
  expect(await lintMigration(migrationOf([statement]))).toEqual([expect.stringMatching(fault)]);
});

it.each([
  'ALTER TABLE inbox ADD COLUMN a int',
  "ALTER TABLE inbox ADD COLUMN a text NOT NULL DEFAULT 'x'::text, ALTER newest_seq SET DEFAULT 1",
  'ALTER TABLE inbox ADD CONSTRAINT c CHECK (newest_seq > 1) NOT VALID',
  'ALTER TABLE inbox VALIDATE CONSTRAINT c',
  'ALTER TABLE inbox ADD CONSTRAINT c UNIQUE USING INDEX i',
  'ALTER TABLE inbox SET (fillfactor = 70)',
  'ALTER TABLE inbox RENAME TO old; ALTER TABLE old RENAME CONSTRAINT inbox_pkey TO old_pkey; CREATE TABLE inbox (a int) PARTITION BY RANGE (a); ALTER TABLE inbox ATTACH PARTITION old FOR VALUES FROM (MINVALUE) TO (MAXVALUE)',
  'CREATE TABLE other (a int); CREATE INDEX ON other (a); INSERT INTO other SELECT 1; ALTER TABLE other ADD UNIQUE (a)',
])('takes: %s', async (statement) => {
  expect(await lintMigration(migrationOf([statement]))).toEqual([]);
});

it('takes an index made concurrently outside of a transaction, where it can be made again', async () => {
  const make = 'CREATE INDEX CONCURRENTLY i ON inbox (newest_seq)';
  const drop = 'DROP INDEX CONCURRENTLY IF EXISTS i';
  const faultsOf = (statements: string[], more?: Partial<LintedMigration>): Promise<string[]> =>
    lintMigration(migrationOf(statements, more));
  const outside = { transaction: false };
  expect(await faultsOf([drop, make])).toEqual([expect.stringMatching(/needs `transaction = false`/)]);
  expect(await faultsOf([drop, make], outside)).toEqual([]);
  expect(await faultsOf([make], outside)).toEqual([expect.stringMatching(/first DROP INDEX/)]);
  expect(await faultsOf([drop.replace(' i', ' j'), make], outside)).toEqual([
    expect.stringMatching(/first DROP INDEX/),
  ]);
  expect(await faultsOf(['ALTER TABLE inbox ADD COLUMN a int', drop, make], outside)).toEqual([
    expect.stringMatching(/alone/),
  ]);
});

it('takes the removal of what the migration says nobody uses any more', async () => {
  const contracts = 'the column is not read since 1.2';
  expect(
    await lintMigration(migrationOf(['ALTER TABLE inbox DROP COLUMN a', 'DROP TABLE other'], { contracts })),
  ).toEqual([]);
});
