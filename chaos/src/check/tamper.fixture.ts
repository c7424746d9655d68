import type { EventOf } from '../history/event-of';
import type { Happening, HistoryEvent, StoreState } from '../history/history';
import { checkHistory } from './check-history';
import { MODEL_OPTIONS, type ModelWorld } from './model-world.fixture';
import type { Invariant } from './verdict';

/** A copy of a history that can be changed to what a broken system or a bad harness would write. */
export class Tampered {
  #events: HistoryEvent[];

  constructor(world: ModelWorld) {
    this.#events = structuredClone(world.events);
  }

  /** The matching events of one kind. */
  all<Type extends Happening['type'], F extends Happening['f']>(
    type: Type,
    f: F,
    isWanted: (event: EventOf<Type, F>) => boolean = () => true,
  ): EventOf<Type, F>[] {
    const isOfKind = (event: HistoryEvent): event is EventOf<Type, F> => event.type === type && event.f === f;
    return this.#events.filter(isOfKind).filter(isWanted);
  }

  /** The only, or the first, matching event of one kind. */
  one<Type extends Happening['type'], F extends Happening['f']>(
    type: Type,
    f: F,
    isWanted?: (event: EventOf<Type, F>) => boolean,
  ): EventOf<Type, F> {
    const [event] = this.all(type, f, isWanted);
    if (event === undefined) throw new Error(`there is no ${type} ${f} as wanted`);
    return event;
  }

  get store(): StoreState {
    return this.one('info', 'store').v;
  }

  drop(...events: HistoryEvent[]): void {
    this.#events = this.#events.filter((event) => !events.includes(event));
  }

  /** Drops all events of a process. */
  dropProcess(p: string): void {
    this.#events = this.#events.filter((event) => event.p !== p);
  }

  /** Inserts something that happened right after `event`. */
  insertAfter(event: HistoryEvent, p: string, happening: Happening): void {
    const place = this.#events.indexOf(event) + 1;
    this.#events.splice(place, 0, { i: 0, t: event.t, p, ...happening });
  }

  /** Swaps two events together with their times. */
  swap(a: HistoryEvent, b: HistoryEvent): void {
    const [first, second] = [this.#events.indexOf(a), this.#events.indexOf(b)];
    this.#events[first] = b;
    this.#events[second] = a;
    [a.t, b.t] = [b.t, a.t];
  }

  get events(): HistoryEvent[] {
    return this.#events.map((event, i) => ({ ...event, i }));
  }

  /** The invariants that the check finds broken. */
  broken(): Invariant[] {
    return checkHistory(this.events, MODEL_OPTIONS).violations.map(({ invariant }) => invariant);
  }
}
