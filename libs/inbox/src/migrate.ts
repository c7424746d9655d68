import 'reflect-metadata';
import { runMigrations } from './schema/run-migrations';

const { stdout, stderr } = process;
void runMigrations(process.argv.slice(2), process.env, { stdout, stderr }).then((code) => {
  process.exitCode = code;
});
