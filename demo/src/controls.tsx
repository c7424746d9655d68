import { useState } from 'preact/hooks';
import type { Person } from './person.ts';
import { killGateway, type Stack, wipeRedis } from './stack.ts';

const MANY = 100;

/** What can be done to the stack during the chat. */
export function Controls({ alice, bob, stack }: { alice: Person; bob: Person; stack: Stack }) {
  const [news, setNews] = useState('');
  const act = (words: string, work: () => Promise<void>) => () => {
    work().then(
      () => setNews(words),
      (error: unknown) =>
        setNews(`That did not work: ${error instanceof Error ? error.message : String(error)}`),
    );
  };
  const sendMany = async (): Promise<void> => {
    for (let count = 1; count <= MANY; count += 1) await alice.send(`message ${count} of ${MANY}`);
  };
  return (
    <section class="controls" aria-label="What can go wrong">
      {stack.can.kill && (
        <>
          <button
            type="button"
            onClick={act(`Gateway of ${alice.name} killed, and started again.`, () => killGateway(0))}
          >
            Kill alice’s gateway
          </button>
          <button
            type="button"
            onClick={act(`Gateway of ${bob.name} killed, and started again.`, () =>
              killGateway(stack.gateways.length - 1),
            )}
          >
            Kill bob’s gateway
          </button>
        </>
      )}
      {stack.can.wipe && (
        <button type="button" onClick={act('Redis is empty. Postgres has every message.', wipeRedis)}>
          Wipe Redis
        </button>
      )}
      <button
        type="button"
        disabled={alice.isOffline}
        onClick={act(`alice has written ${MANY} messages.`, sendMany)}
      >
        alice writes {MANY}
      </button>
      <p role="status">{news}</p>
    </section>
  );
}
