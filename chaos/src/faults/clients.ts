import { seen } from './evidence';
import { EVERY_KIND, type Fault } from './fault';

const SOME = 0.3;

const slowReaders: Fault = {
  id: 'client-slow-readers',
  what: 'Some devices stop reading and continue later.',
  kinds: EVERY_KIND,
  minMs: 3_000,
  maxMs: 10_000,
  inject: async ({ clients }) => {
    const { count, heal } = clients.deafen(SOME);
    return {
      target: `${count} devices`,
      heal: async () => heal(),
      effect: async () => seen(count > 0, `${count} devices stopped reading`),
    };
  },
};

const flapping: Fault = {
  id: 'client-flapping',
  what: 'Some devices cut each connection as soon as it is open.',
  kinds: EVERY_KIND,
  minMs: 2_000,
  maxMs: 8_000,
  inject: async ({ clients }) => {
    const { count, heal } = clients.flap(SOME);
    return {
      target: 'some devices',
      heal: async () => heal(),
      effect: async () => seen(count() > 0, `${count()} connections were cut`),
    };
  },
};

const massCut: Fault = {
  id: 'client-mass-cut',
  what: 'All devices lose their connections at once and reconnect.',
  kinds: EVERY_KIND,
  minMs: 0,
  maxMs: 0,
  inject: async ({ clients }) => {
    const count = clients.cut(1);
    return {
      target: 'all devices',
      heal: async () => undefined,
      effect: async () => seen(count > 0, `${count} connections were cut`),
    };
  },
};

/** Faults of the clients and of their network. */
export const clientFaults: readonly Fault[] = [slowReaders, flapping, massCut];
