import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InboxItem } from '@posthorn/protocol';
import { eventually } from '@posthorn/testing';
import { World } from '../fixture';
import { linesOf, startCli } from './cli.fixture';

const LINES = 2_000;
/** By turns, as a deploy would, and as a crash would. */
const SIGNALS = ['SIGTERM', 'SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGKILL'] as const;

it('§1: 2,000 lines through send and a listen that is restarted five times: none missing, none twice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
  const world = await World.start({ env: { RATE_LIMIT_SENDS: '0' } });
  try {
    const [input, output] = [join(folder, 'in.txt'), join(folder, 'out.jsonl')];
    const lines = Array.from({ length: LINES }, (_, index) => `line ${index + 1}`);
    writeFileSync(input, `${lines.join('\n')}\n`);
    const [alice, bob] = [world.user('alice'), world.user('bob')];
    const env = world.addresses;
    const listen = () => startCli(['listen', '--as', bob, '--output', output], { env });
    const heard = (): number =>
      existsSync(output) ? readFileSync(output, 'utf8').split('\n').length - 1 : 0;

    let listener = listen();
    const sender = startCli(['send', bob, '--as', alice, '--file', input], { env });
    const sent = once(sender, 'close');
    for (const [restart, signal] of SIGNALS.entries()) {
      const enough = ((restart + 1) * LINES) / (SIGNALS.length + 1);
      await eventually(`${enough} lines were heard`, () => heard() >= enough);
      listener.kill(signal);
      await once(listener, 'close');
      listener = listen();
    }
    await sent;
    expect(sender.exitCode).toBe(0);
    await eventually('all lines were heard', () => heard() >= LINES);
    listener.kill('SIGTERM');
    await once(listener, 'close');
    const texts = linesOf<InboxItem>(readFileSync(output, 'utf8')).map(({ message }) => message.text);
    expect(texts).toEqual(lines);
  } finally {
    await world.stop();
    rmSync(folder, { recursive: true });
  }
});
