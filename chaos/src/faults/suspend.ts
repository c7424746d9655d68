import { answers, isSilent, seen } from './evidence';
import type { Injected } from './fault';

/** Something that can be stopped and go on later. */
interface Suspendable {
  label: string;
  /** Asks it anything. */
  ask: () => Promise<unknown>;
  signal: (signal: 'SIGSTOP' | 'SIGCONT') => void;
  /** Called once it goes on: brings it back where it died meanwhile. */
  revive: () => Promise<void>;
}

/** Stops something with SIGSTOP. Whoever it serves sees a peer that is there and says nothing. */
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
