import { Findings } from './findings';
import type { HistoryIndex } from './index-history';

/** After all clients have left, nothing of them remains, and the services exit with code 0. */
export function checkCleanEnd({ end }: HistoryIndex): Findings {
  const findings = new Findings();
  if (end === null) return findings;
  const { presenceFields, connections, bufferedBytes, longestList, listCap, exits } = end;
  for (const [name, left] of Object.entries({ presenceFields, connections, bufferedBytes })) {
    if (left !== 0) findings.add(`${name} is ${left} when everybody has gone`);
  }
  if (longestList > listCap)
    findings.add(`an offline list has ${longestList} entries; its cap is ${listCap}`);
  for (const { process, code, signal } of exits) {
    if (code !== 0) findings.add(`${process} stopped with ${signal ?? `exit code ${code}`}`);
  }
  return findings;
}
