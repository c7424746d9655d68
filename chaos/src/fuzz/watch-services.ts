import type { ServiceProcess } from '@posthorn/stack';
import { TEXT_MARK } from './evil';
import type { Report } from './report';

/** What no log line may contain, and why. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/uncaught/i, 'an uncaught error'],
  [/unhandled/i, 'an unhandled rejection'],
  [/\b(?:Type|Range|Reference|Assertion)Error\b/, 'an error of the program'],
  [/MaxListenersExceeded|ERR_HTTP_HEADERS_SENT|heap out of memory|DeprecationWarning/, 'a warning of Node'],
  [/"level":"error"/, 'an error'],
  [/eyJ[\w-]{8,}\.[\w-]+/, 'a token'],
  [new RegExp(TEXT_MARK), 'a text'],
];

/** The documented 503 of a machine that is too busy. These answers are counted elsewhere. */
const BUSY = /"message":"request not served",.*"code":"(?:unavailable|overloaded)"/;

/** Checks that a line of a service's log contains nothing forbidden. */
export function checkLogLine(service: string, line: string, secret: string, report: Report): void {
  if (BUSY.test(line)) return;
  for (const [pattern, what] of FORBIDDEN) {
    if (pattern.test(line)) report.fail(null, `${service} logged ${what}: ${line.slice(0, 2_000)}`);
  }
  if (line.includes(secret)) report.fail(null, `${service} logged the secret`);
}

/** Reports a process that ends while it is fuzzed. The returned function stops this. */
export function watchExits(services: readonly ServiceProcess[], report: Report): () => void {
  let isOver = false;
  for (const service of services) {
    void service.exited.then(({ code, signal }) => {
      if (!isOver) report.fail(null, `${service.name} ended: ${signal ?? `exit code ${code}`}`);
    });
  }
  return () => {
    isOver = true;
  };
}
