import { setImmediate as turn } from 'node:timers/promises';
import type { Identities } from '../fuzz/identities';
import { Line } from '../fuzz/line';
import { clientFrame, OPCODE } from '../fuzz/wire';
import type { Random } from '../random';

/** Who connects, and where. */
export interface Flapper {
  /** The port of a gateway. */
  port: number;
  user: string;
  device: string;
  identities: Identities;
  random: Random;
}

/** A connection that comes and goes. Resolves with what happened to it. */
type Flap = (flapper: Flapper) => Promise<string>;

const BOUND_MS = 10_000;

/** All ways to come and go. `share` is in percent. */
const FLAPS: readonly { share: number; flap: Flap }[] = [
  { share: 25, flap: welcomed('closed', (line, random) => line.write(closing(random))) },
  { share: 25, flap: welcomed('reset', (line) => line.reset()) },
  { share: 10, flap: welcomed('ended', (line) => line.fin()) },
  { share: 10, flap: midUpgrade },
  { share: 10, flap: halfRequest },
  { share: 10, flap: badToken },
  { share: 10, flap: takenOver },
];

/** Comes and goes once, in one of the ways. */
export async function flapOnce(flapper: Flapper): Promise<string> {
  let lot = flapper.random.int(0, 99);
  for (const { share, flap } of FLAPS) {
    if (lot < share) return await flap(flapper);
    lot -= share;
  }
  throw new Error('the shares are less than a hundred');
}

/** Waits for the welcome, then leaves. */
function welcomed(what: string, go: (line: Line, random: Random) => void): Flap {
  return async (flapper) => {
    const { line, answer } = await connect(flapper);
    await line.until(() => answer().includes('"welcome"'), BOUND_MS);
    const status = statusIn(answer());
    go(line, flapper.random);
    await line.until(() => false, BOUND_MS);
    return status === '101' ? what : `answered ${status}`;
  };
}

/** The request is complete, and the connection is cut while the gateway works on it. */
async function midUpgrade(flapper: Flapper): Promise<string> {
  const { line } = await connect(flapper);
  for (let turns = flapper.random.int(0, 20); turns > 0; turns--) await turn();
  line.reset();
  await line.until(() => false, BOUND_MS);
  return 'cut in the upgrade';
}

async function halfRequest(flapper: Flapper): Promise<string> {
  const { port, random } = flapper;
  const line = await Line.open(port, () => undefined);
  const request = upgradeRequest(flapper, flapper.identities.token(flapper.user));
  line.write(request.subarray(0, random.int(0, request.length - 1)));
  await turn();
  if (random.chance(0.5)) line.reset();
  else line.fin();
  await line.until(() => false, BOUND_MS);
  return 'cut in the request';
}

async function badToken(flapper: Flapper): Promise<string> {
  const { line, answer } = await connect(flapper, 'x.y.z');
  await line.until(() => answer().includes('\r\n\r\n'), BOUND_MS);
  line.close();
  return `answered ${statusIn(answer())}`;
}

/** The same device connects again while its first connection is still open. */
async function takenOver(flapper: Flapper): Promise<string> {
  const first = await connect(flapper);
  await first.line.until(() => first.answer().includes('"welcome"'), BOUND_MS);
  const second = await connect(flapper);
  await second.line.until(() => second.answer().includes('"welcome"'), BOUND_MS);
  // The server closes the first connection and waits for an answer.
  const outcome = await first.line.until(() => first.answer().includes(CLOSE_FRAME), BOUND_MS);
  first.line.reset();
  second.line.reset();
  await second.line.until(() => false, BOUND_MS);
  return outcome === true ? 'taken over' : 'not taken over';
}

/** The first byte of a server's close frame. No other frame contains this character. */
const CLOSE_FRAME = '\x88';

async function connect(
  flapper: Flapper,
  token = flapper.identities.token(flapper.user),
): Promise<{ line: Line; answer: () => string }> {
  let text = '';
  const line = await Line.open(flapper.port, (bytes) => {
    text += bytes.toString('latin1');
  });
  line.write(upgradeRequest(flapper, token));
  return { line, answer: () => text };
}

function upgradeRequest({ device }: Flapper, token: string): Buffer {
  return Buffer.from(
    `GET /v1/connect?device=${device} HTTP/1.1\r\nHost: churn\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
}

function closing(random: Random): Buffer {
  return clientFrame(random, OPCODE.close, Buffer.from([3, 232]));
}

function statusIn(answer: string): string {
  return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'nothing';
}
