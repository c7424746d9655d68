import { useEffect, useMemo, useState } from 'preact/hooks';
import { Chat } from './chat.tsx';
import { Controls } from './controls.tsx';
import { Ledger } from './ledger.tsx';
import { Person } from './person.ts';
import type { Stack } from './stack.ts';

const DRAW_EVERY_MS = 50;

/** The page: two people side by side, and controls for the stack. */
export function App({ stack }: { stack: Stack }) {
  const [, draw] = useState(0);
  const { alice, bob } = useMemo(() => {
    let isPlanned = false;
    // Many messages may come in this time, and each redraw draws both lists.
    const onChange = (): void => {
      if (isPlanned) return;
      isPlanned = true;
      setTimeout(() => {
        isPlanned = false;
        draw((count) => count + 1);
      }, DRAW_EVERY_MS);
    };
    const last = stack.gateways.length - 1;
    return {
      alice: new Person('alice', 'bob', stack, 0, onChange),
      bob: new Person('bob', 'alice', stack, last, onChange),
    };
  }, [stack]);

  useEffect(() => {
    for (const person of [alice, bob]) person.goOnline();
    const onLook = (): void => {
      for (const person of [alice, bob]) person.look(document.visibilityState === 'visible');
    };
    document.addEventListener('visibilitychange', onLook);
    return () => document.removeEventListener('visibilitychange', onLook);
  }, [alice, bob]);

  return (
    <>
      <header>
        <h1>Posthorn</h1>
        <p>
          Two people, two devices, two gateways. Take one offline, send, bring it back: what was sent waits,
          and arrives once, in order.
        </p>
      </header>
      <Controls alice={alice} bob={bob} stack={stack} />
      <main>
        <Chat person={alice} />
        <Chat person={bob} />
      </main>
      <Ledger alice={alice} bob={bob} />
    </>
  );
}
