import { readFileSync } from 'node:fs';
import type { HistoryEvent } from './history';

/**
 * The events of a file that `HistoryRecorder` wrote. If the last line is incomplete, it is left out.
 * @throws Error that names the first line which is not an event
 */
export function readHistory(path: string): HistoryEvent[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  const events = lines.map(parseEvent);
  // After the last line break there is nothing, or an incomplete line.
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

/** The contents are not checked further, because we wrote the file. */
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
