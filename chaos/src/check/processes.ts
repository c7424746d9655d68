import type { Connection } from './device-log';
import { Findings } from './findings';
import type { HistoryIndex } from './index-history';

/** Codes with which the server blames the client or itself. The devices of a run follow the protocol. */
const BLAME = new Set([1002, 1003, 1007, 1008, 1009, 1011]);
/** Broken, silent or too slow: acceptable during a fault, or for a device that does not read. */
const SILENCE = new Set([1006, 4408, 4413]);

/** No service ends unexpectedly or logs forbidden lines, and no healthy client is cut off. */
export function checkProcesses(index: HistoryIndex): Findings {
  const findings = new Findings();
  for (const { i, v } of index.processes) {
    if ('line' in v) findings.add(`event ${i}: ${v.process} logged ${v.line}`);
    else if (!v.isExpected)
      findings.add(
        `event ${i}: ${v.process} ended by itself with ${v.exit.signal ?? `exit code ${v.exit.code}`}`,
      );
  }
  for (const connection of index.devices.connections) {
    const { name, closed } = connection;
    if (closed?.v.by === 'server' && isUnjust(connection, closed.v.code, index))
      findings.add(`event ${closed.i}: ${name} was cut off with ${closed.v.code}, without a reason`);
  }
  return findings;
}

function isUnjust(
  { events, deaf, closed }: Connection,
  code: number,
  { faults, lastT }: HistoryIndex,
): boolean {
  if (BLAME.has(code)) return true;
  if (!SILENCE.has(code) || deaf.length > 0) return false;
  return faults.isQuiet(events[0]?.t ?? 0, closed?.t ?? lastT);
}
