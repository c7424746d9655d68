import type { EventOf } from '../history/event-of';
import type { EndState, HistoryEvent, Phase, StoreState } from '../history/history';
import type { CheckOptions } from './check-options';
import { type Device, DeviceLog } from './device-log';
import { FaultLog } from './fault-log';
import { InboxLog } from './inbox-log';
import { SendLog } from './send-log';

/** A history, indexed for the checks. It is built once, and the checks only read it. */
export interface HistoryIndex {
  options: CheckOptions;
  sends: SendLog;
  devices: DeviceLog;
  inboxes: InboxLog;
  faults: FaultLog;
  /** When each phase began. */
  phases: ReadonlyMap<Phase, EventOf<'info', 'phase'>>;
  processes: readonly EventOf<'info', 'process'>[];
  store: StoreState | null;
  end: EndState | null;
  /** The time of the last event. */
  lastT: number;
  /** Events that a correct harness would not write. */
  oddities: readonly string[];
}

/** Goes through the history once. */
export function indexHistory(events: readonly HistoryEvent[], options: CheckOptions): HistoryIndex {
  const sends = new SendLog();
  const devices = new DeviceLog();
  const faults = new FaultLog(options);
  const phases = new Map<Phase, EventOf<'info', 'phase'>>();
  const processes: EventOf<'info', 'process'>[] = [];
  const oddities: string[] = [];
  let store: StoreState | null = null;
  let end: EndState | null = null;
  let [lastI, lastT] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const event of events) {
    if (event.i <= lastI || event.t < lastT) oddities.push(`event ${event.i} is before the one before it`);
    lastI = event.i;
    lastT = Math.max(lastT, event.t);
    switch (event.f) {
      case 'send':
        sends.take(event);
        break;
      case 'fault':
        faults.take(event);
        break;
      case 'phase':
        if (!phases.has(event.v.name)) phases.set(event.v.name, event);
        break;
      case 'process':
        processes.push(event);
        break;
      case 'store':
        store = event.v;
        break;
      case 'end':
        end = event.v;
        break;
      default:
        devices.take(event);
    }
  }
  sends.attribute(store?.messages ?? []);
  const inboxes = new InboxLog(store, devices, sends);
  oddities.push(...sends.oddities, ...devices.oddities);
  return { options, sends, devices, inboxes, faults, phases, processes, store, end, lastT, oddities };
}

/**
 * Whether the device was there for everything. A normal device was connected and had caught up at the end of the
 * final phase. A fresh device had caught up at any time.
 */
export function isFinished(index: HistoryIndex, device: Device): boolean {
  if (device.isFresh) return device.connections.some(({ caughtUp }) => caughtUp !== null);
  const finalEnd = endOfFinal(index);
  if (finalEnd === null) return false;
  return device.connections.some(
    ({ caughtUp, closed }) =>
      caughtUp !== null && caughtUp.i < finalEnd.i && (closed === null || closed.i > finalEnd.i),
  );
}

/** The event that ended the final phase. */
export function endOfFinal({ phases }: HistoryIndex): EventOf<'info', 'phase'> | null {
  if (!phases.has('final')) return null;
  return phases.get('fresh') ?? phases.get('over') ?? null;
}
