#!/usr/bin/env node
import { runCli } from './run-cli.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  folder: process.cwd(),
  input: process.stdin,
  out: process.stdout,
  err: process.stderr,
  stop: stop.signal,
});
// Unread stdin, or a socket that is still closing, would keep the process running.
process.exit();
