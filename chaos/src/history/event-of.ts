import type { Happening, HistoryEvent } from './history';

/** The events of one kind: `EventOf<'ok', 'message'>`. */
export type EventOf<Type extends Happening['type'], F extends Happening['f']> = Extract<
  HistoryEvent,
  { type: Type; f: F }
>;
