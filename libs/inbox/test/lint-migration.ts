import { type AlterTableCmd, type ColumnDef, type Constraint, type Node, parse } from 'libpg-query';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A migration, and what it may say of itself. */
export interface LintedMigration extends MigrationInterface {
  /** Why nothing uses any more what it removes: it contracts what an earlier release expanded. */
  readonly contracts?: string;
}

const CONTRACTS = 'the release before may use it still: say in `contracts` why none does';
const CONSTANTS = 'every row would be written anew: give it a constant as its default, or none';
const SCANS = 'all rows are looked at under the lock';

/**
 * What a migration does that stops the services which run beside it, or the version before, each as a sentence. It takes
 * only what is known to be safe while the tables are large and in use; on tables that it creates itself anything is.
 */
export async function lintMigration(migration: LintedMigration): Promise<string[]> {
  const statements = await statementsOf(migration);
  const created = new Set(statements.flatMap((node) => createdBy(node) ?? []));
  const replaced = new Set(statements.flatMap((node) => replacedBy(node, created) ?? []));
  const faults = statements.flatMap((node) => faultsOf(node, created, replaced, migration));
  return [...faults, ...faultsOfConcurrency(statements, migration.transaction !== false)];
}

/** What is made concurrently is not undone with its migration: one that was broken off has to be able to run again. */
function faultsOfConcurrency(statements: readonly Node[], isInTransaction: boolean): string[] {
  if (isInTransaction)
    return statements.some(isConcurrent) ? ['CONCURRENTLY: needs `transaction = false`'] : [];
  const faults = statements.every(isConcurrent)
    ? []
    : ['`transaction = false`: for what is concurrent alone, or a failure leaves half of it'];
  for (const [at, node] of statements.entries()) {
    if (!('IndexStmt' in node)) continue;
    const name = node.IndexStmt.idxname;
    const isRepeatable = statements.slice(0, at).some((earlier) => dropsIfThere(earlier, name));
    if (!isRepeatable)
      faults.push(`CREATE INDEX CONCURRENTLY ${name}: first DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
  }
  return faults;
}

function dropsIfThere(node: Node, index: string | undefined): boolean {
  if (!('DropStmt' in node) || node.DropStmt.missing_ok !== true) return false;
  return JSON.stringify(node.DropStmt.objects ?? []).includes(JSON.stringify({ String: { sval: index } }));
}

/** The statements that it would run, parsed as Postgres does. */
async function statementsOf(migration: MigrationInterface): Promise<Node[]> {
  const texts: string[] = [];
  const runner = { query: async (text: string) => void texts.push(text) };
  await migration.up(runner as unknown as QueryRunner);
  const parsed = await Promise.all(texts.map((text) => parse(text)));
  return parsed.flatMap(({ stmts = [] }) => stmts.flatMap(({ stmt }) => stmt ?? []));
}

function faultsOf(
  node: Node,
  created: ReadonlySet<string>,
  replaced: ReadonlySet<string>,
  migration: LintedMigration,
): string[] {
  if ('CreateStmt' in node) return [];
  if ('IndexStmt' in node) {
    const { relation, concurrent } = node.IndexStmt;
    if (concurrent === true || isOf(created, relation?.relname)) return [];
    return [`CREATE INDEX on ${relation?.relname}: writers wait until it is made; CREATE INDEX CONCURRENTLY`];
  }
  if ('InsertStmt' in node) {
    const { relation, selectStmt } = node.InsertStmt;
    const isOfValues =
      selectStmt !== undefined &&
      'SelectStmt' in selectStmt &&
      selectStmt.SelectStmt.valuesLists !== undefined;
    if (isOfValues || isOf(created, relation?.relname)) return [];
    return [`INSERT INTO ${relation?.relname} of a query: fill it in batches, outside of a migration`];
  }
  if ('AlterTableStmt' in node) {
    const table = node.AlterTableStmt.relation?.relname;
    return (node.AlterTableStmt.cmds ?? []).flatMap((command) => {
      if (isOf(created, table) && !attachesOther(command, created)) return [];
      const fault =
        'AlterTableCmd' in command ? faultOfAlter(command.AlterTableCmd, migration) : 'is unknown';
      return fault === null ? [] : [`ALTER TABLE ${table}: ${fault}`];
    });
  }
  if ('DropStmt' in node) {
    const { removeType, concurrent } = node.DropStmt;
    if (removeType === 'OBJECT_INDEX' && concurrent === true) return [];
    if (removeType === 'OBJECT_INDEX') return ['DROP INDEX: everybody waits; DROP INDEX CONCURRENTLY'];
    if (migration.contracts !== undefined) return [];
    return [`DROP: ${CONTRACTS}`];
  }
  // Under the old name there is another table before anybody sees it.
  if ('RenameStmt' in node && replacedBy(node, created) !== undefined) return [];
  if (
    'RenameStmt' in node &&
    node.RenameStmt.renameType === 'OBJECT_TABCONSTRAINT' &&
    isOf(replaced, node.RenameStmt.relation?.relname)
  )
    return [];
  if ('RenameStmt' in node)
    return ['RENAME: the release before knows the old name only: add, fill, then drop'];
  const [kind] = Object.keys(node);
  return [`${kind}: not known to be safe beside services that run`];
}

/** Null where the lock that it takes is short, and the version before does not notice. */
function faultOfAlter({ subtype, def, name }: AlterTableCmd, { contracts }: LintedMigration): string | null {
  switch (subtype) {
    case 'AT_ColumnDefault':
    case 'AT_DropNotNull':
    case 'AT_ValidateConstraint':
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions':
    case 'AT_SetStatistics':
      return null;
    case 'AT_AttachPartition':
      return takesAll(def) ? null : `attaching a partition of a part: ${SCANS}`;
    case 'AT_AddColumn':
      return def !== undefined && 'ColumnDef' in def ? faultOfColumn(def.ColumnDef) : 'is unknown';
    case 'AT_AddConstraint':
      return def !== undefined && 'Constraint' in def ? faultOfConstraint(def.Constraint) : 'is unknown';
    case 'AT_DropColumn':
    case 'AT_DropConstraint':
      return contracts === undefined ? `dropping ${name}: ${CONTRACTS}` : null;
    case 'AT_SetNotNull':
      return `SET NOT NULL of ${name}: ${SCANS}; a CHECK … NOT VALID, then VALIDATE CONSTRAINT`;
    case 'AT_AlterColumnType':
      return `another type of ${name}: the table is written anew under the lock; add a column in its place`;
    default:
      return `${subtype} is not known to be safe beside services that run`;
  }
}

function faultOfColumn({ colname, constraints = [] }: ColumnDef): string | null {
  const own = constraints.flatMap((node) => ('Constraint' in node ? [node.Constraint] : []));
  const value = own.find(({ contype }) => contype === 'CONSTR_DEFAULT')?.raw_expr;
  if (value !== undefined && !isConstant(value)) return `ADD COLUMN ${colname}: ${CONSTANTS}`;
  if (value === undefined && own.some(({ contype }) => contype === 'CONSTR_NOTNULL'))
    return `ADD COLUMN ${colname} NOT NULL without a default: the release before cannot insert`;
  const heavy = own.find(({ contype }) => !['CONSTR_DEFAULT', 'CONSTR_NOTNULL'].includes(contype ?? ''));
  return heavy === undefined
    ? null
    : `ADD COLUMN ${colname}: ${heavy.contype} of its own looks at all rows: add it afterwards`;
}

function faultOfConstraint({ conname, contype, skip_validation, indexname }: Constraint): string | null {
  if (skip_validation === true || indexname !== undefined) return null;
  const remedy =
    contype === 'CONSTR_CHECK' || contype === 'CONSTR_FOREIGN'
      ? 'NOT VALID, then VALIDATE CONSTRAINT in a migration of its own'
      : 'an index made CONCURRENTLY, then USING INDEX';
  return `ADD CONSTRAINT ${conname}: ${SCANS}; ${remedy}`;
}

/** The new name of a table whose old one another table gets in the same migration. */
function replacedBy(node: Node, created: ReadonlySet<string>): string | undefined {
  if (!('RenameStmt' in node)) return undefined;
  const { renameType, relation, newname } = node.RenameStmt;
  return renameType === 'OBJECT_TABLE' && isOf(created, relation?.relname) ? newname : undefined;
}

/** Attaches a table that was there before. */
function attachesOther(command: Node, created: ReadonlySet<string>): boolean {
  if (!('AlterTableCmd' in command) || command.AlterTableCmd.subtype !== 'AT_AttachPartition') return false;
  const { def } = command.AlterTableCmd;
  return def === undefined || !('PartitionCmd' in def) || !isOf(created, def.PartitionCmd.name?.relname);
}

/** From MINVALUE to MAXVALUE: no row has to be looked at, where the column is NOT NULL. */
function takesAll(def: Node | undefined): boolean {
  if (def === undefined || !('PartitionCmd' in def)) return false;
  const { lowerdatums = [], upperdatums = [] } = def.PartitionCmd.bound ?? {};
  return isBound(lowerdatums, 'minvalue') && isBound(upperdatums, 'maxvalue');
}

function isBound(datums: readonly Node[], name: string): boolean {
  return datums.length > 0 && datums.every((datum) => JSON.stringify(datum).includes(`{"sval":"${name}"}`));
}

function isConstant(node: Node): boolean {
  if ('TypeCast' in node) return node.TypeCast.arg !== undefined && isConstant(node.TypeCast.arg);
  return 'A_Const' in node;
}

function isConcurrent(node: Node): boolean {
  if ('IndexStmt' in node) return node.IndexStmt.concurrent === true;
  return 'DropStmt' in node && node.DropStmt.concurrent === true;
}

function createdBy(node: Node): string | undefined {
  return 'CreateStmt' in node ? node.CreateStmt.relation?.relname : undefined;
}

function isOf(tables: ReadonlySet<string>, table: string | undefined): boolean {
  return table !== undefined && tables.has(table);
}
