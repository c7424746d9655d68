import type { ChaosWorld } from '../world/chaos-world';
import { errorOf, seen } from './evidence';
import { EVERY_KIND, type Fault } from './fault';
import { gatewayChannels } from './redis-nodes';
import { repeat } from './repeat';

const ROUND_MS = 200;
/** Limits the pace: a megabyte may use one second of a gateway. */
const CHARS_PER_MS = 1_000;

const GARBAGE = ['', ' ', 'garbage', '{"type":"entries"', '\u0000\u0001\u0002', 'null', '42', '"entries"'];
const HUGE = [`"${'x'.repeat(5 << 20)}"`, '['.repeat(100_000)];
const WRONG_SHAPES = [
  [],
  {},
  { type: 'unknown' },
  { type: ['entries'], items: [] },
  { type: 'entries' },
  { type: 'entries', items: {} },
  { type: 'entries', items: [null, 1, 'x'] },
  { type: 'entries', items: [{ epoch: 1, to: [] }] },
  { type: 'entries', items: [{ epoch: 'e', to: [['u0']] }] },
  { type: 'entries', items: [{ epoch: 'e', to: [['u0', -1]] }] },
  { type: 'entries', items: [{ epoch: 'e', to: [['u0', 1.5]] }] },
  { type: 'entries', items: [{ epoch: 'e', to: [['u0', 1]], message: { id: 1 } }] },
  { type: 'receipts', news: [{ user: 'u0', status: 'lost' }] },
  { type: 'takeover', user: 'u0', device: 'd1', fence: '1' },
  { type: 'disconnect', user: null },
  { type: 'probe', nonce: {} },
].map((shape) => JSON.stringify(shape));

/** Publishes rubbish to every gateway, repeatedly. Each gateway counts it. */
function published(id: string, what: string, texts: readonly string[]): Fault {
  return {
    id,
    what,
    kinds: EVERY_KIND,
    minMs: 500,
    maxMs: 3_000,
    inject: async (world) => {
      const channels = await gatewayChannels(world);
      const before = await rubbishCount(world);
      const publish = async (): Promise<void> => {
        for (const channel of channels) for (const text of texts) await channel.publish(text);
      };
      // Another fault may hit Redis at the same time.
      await errorOf(publish);
      const publishing = repeat(Math.max(ROUND_MS, texts.join('').length / CHARS_PER_MS), publish);
      return {
        target: `${channels.length} channels`,
        heal: () => publishing.stop(),
        effect: async () => {
          const count = (await rubbishCount(world)) - before;
          return seen(count > 0, `${count} of them were counted as rubbish`);
        },
      };
    },
  };
}

/** Rubbish on the channels of gateways. */
export const channelPoison: readonly Fault[] = [
  published(
    'poison-channel-garbage',
    'Texts that are not JSON objects arrive on the channel of every gateway.',
    GARBAGE,
  ),
  published('poison-channel-huge', 'Messages of 5 MB arrive on the channel of every gateway.', HUGE),
  published(
    'poison-channel-shapes',
    'JSON of wrong shapes arrives on the channel of every gateway.',
    WRONG_SHAPES,
  ),
];

async function rubbishCount({ gateways }: ChaosWorld): Promise<number> {
  const counts = await Promise.all(
    gateways.map((gateway) => gateway.metric('posthorn_rubbish_notices_total')),
  );
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}
