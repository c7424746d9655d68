import { answers, isSilent, seen } from './evidence';
import type { Injected } from './fault';

/** Something that can be stopped and continued. */
interface Suspendable {
  label: string;
  /** Asks it any question. */
  ask: () => Promise<unknown>;
  signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  /** Called after it continues. Restarts it if it died. */
  revive: () => Promise<void>;
}

/** Stops a process with SIGSTOP. Its clients then see a peer that is connected but silent. */
export async function suspend({ label, ask, signal, revive }: Suspendable): Promise<Injected> {
  const wasThere = await answers(ask);
  signal('SIGSTOP');
  const fellSilent = await isSilent(ask);
  return {
    target: label,
    heal: async () => {
      signal('SIGCONT');
      await revive();
    },
    effect: async () => seen(wasThere && fellSilent, `${label} answered before it was stopped and not after`),
  };
}
