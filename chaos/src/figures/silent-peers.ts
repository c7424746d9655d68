import { atMost, type Measurement } from './measurement';
import { timeUntil } from './wait';

const BOUND_MS = 40_000;
const TEXT = 'x'.repeat(8_000);
const BURST = 64;

/** A peer that the network forgot, and one that does not read, are cut. */
export const silentPeers: Measurement = {
  name: 'silent-peers',
  what: 'The network swallows all bytes of one device; another one stops reading while messages wait for it.',
  kinds: ['single'],
  measure: async (site) => {
    const { world } = site;
    const [halfOpen, slow] = [await site.connect('u1', 0), await site.connect('u2', 1)];
    await Promise.all([halfOpen.nextOf('caughtUp'), slow.nextOf('caughtUp')]);
    for (const { proxy } of world.edges('client-gateway').slice(0, 1)) proxy.mode = 'blackhole';
    slow.socket.pause();
    const isEmpty = (index: number) => async (): Promise<boolean> =>
      (await world.gateways[index]?.metric('posthorn_connections')) === 0;
    const api = site.api();
    // More than the sockets in between hold, so that the gateway must hold or drop the rest.
    const over = new AbortController();
    const sending = (async () => {
      while (!over.signal.aborted)
        await Promise.all(
          Array.from({ length: BURST }, (_, n) =>
            api.send('u0', `slow-${performance.now()}-${n}`, { to: ['u2'], text: TEXT }),
          ),
        );
    })();
    let maxBuffered = 0;
    const watching = timeUntil(
      async () => {
        maxBuffered = Math.max(
          maxBuffered,
          (await world.gateways[1]?.metric('posthorn_buffered_bytes')) ?? 0,
        );
        return over.signal.aborted;
      },
      2 * BOUND_MS,
      200,
    );
    const [halfOpenMs, slowMs] = await Promise.all([
      timeUntil(isEmpty(0), 2 * BOUND_MS, 100),
      timeUntil(isEmpty(1), 2 * BOUND_MS, 100),
    ]);
    over.abort();
    await Promise.all([sending, watching]);
    halfOpen.terminate();
    slow.terminate();
    await world.mend();
    return [
      atMost('a half-open peer is cut', BOUND_MS, halfOpenMs),
      atMost('a peer that does not read is cut', BOUND_MS, slowMs),
      {
        what: 'bytes that a gateway held for it at most',
        bound: '≤ 1 MiB (MAX_BUFFERED_BYTES)',
        seen: String(maxBuffered),
        isGood: maxBuffered <= 1_048_576 + TEXT.length,
      },
    ];
  },
};
