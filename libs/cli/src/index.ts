export { exits } from './exit.ts';
export { createProgram } from './program.ts';
export { type CliWorld, runCli } from './run-cli.ts';
