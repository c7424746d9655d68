import { readFileSync } from 'node:fs';
import type { HistoryEvent } from './history';

/**
 * The events of a file that `HistoryRecorder` wrote. The last line may have been cut off with the run, and is then
 * left out.
 * @throws Error naming the first line that is no event
 */
export function readHistory(path: string): HistoryEvent[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  const events = lines.map(parseEvent);
  // Behind the last line feed is nothing, or the beginning of a line.
  if (events.at(-1) === null) events.pop();
  return events.map((event, index) => {
    if (event === null) throw new Error(`${path}: line ${index + 1} is no event of a history`);
    return event;
  });
}

function parseEvent(text: string): HistoryEvent | null {
  try {
    const value: unknown = JSON.parse(text);
    return isEvent(value) ? value : null;
  } catch {
    return null;
  }
}

/** What it says of its contents is believed: the file was written by us. */
function isEvent(value: unknown): value is HistoryEvent {
  if (typeof value !== 'object' || value === null) return false;
  const fields: { i?: unknown; t?: unknown; p?: unknown; type?: unknown; f?: unknown; v?: unknown } = value;
  return (
    typeof fields.i === 'number' &&
    typeof fields.t === 'number' &&
    typeof fields.p === 'string' &&
    typeof fields.type === 'string' &&
    typeof fields.f === 'string' &&
    typeof fields.v === 'object'
  );
}
