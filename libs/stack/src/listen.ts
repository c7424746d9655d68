import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isDeviceId, isUserId, mayReconnect } from '@posthorn/protocol';
import { ChatSocket } from './chat-socket';
import { readDevSecret } from './dev-secret';
import { mintToken } from './mint-token';
import { localFolder } from './paths';

const EX_USAGE = 64;
const EX_CONFIG = 78;
const USAGE = `usage: node libs/stack/dist/listen.js USER [--device listen] [--url ws://127.0.0.1:3001/v1/connect]
  prints each frame as a line of JSON and acknowledges messages; comes back when the connection breaks
`;
const MAX_BACKOFF_MS = 10_000;

interface Wish {
  user: string;
  device: string;
  url: string;
}

/** Listens until Ctrl-C, or until the gateway says not to come back. Returns the exit code. */
async function listen(args: readonly string[]): Promise<number> {
  const wish = readWish(args);
  if (wish === undefined) {
    process.stderr.write(USAGE);
    return EX_USAGE;
  }
  const secret = process.env['AUTH_JWT_SECRET'] || readDevSecret(localFolder);
  if (secret === undefined) {
    process.stderr.write('AUTH_JWT_SECRET is not set, and npm start has not run here yet.\n');
    return EX_CONFIG;
  }
  for (let failures = 0; ; failures += 1) {
    const { code, wasOpen } = await listenOnce(wish, secret);
    if (code !== undefined && !mayReconnect(code)) return 1;
    if (wasOpen) failures = 0;
    const backoffMs = Math.min(MAX_BACKOFF_MS, 250 * 2 ** failures);
    await sleep(backoffMs * (0.5 + Math.random() / 2));
  }
}

/** One connection, to its end. */
async function listenOnce(
  { user, ...rest }: Wish,
  secret: string,
): Promise<{ code?: number; wasOpen: boolean }> {
  try {
    const socket = await ChatSocket.open({ ...rest, token: await mintToken({ user, secret }) });
    socket.onFrame((frame) => {
      process.stdout.write(`${JSON.stringify(frame)}\n`);
      if (frame.type === 'message') socket.send({ type: 'ack', seq: frame.seq });
    });
    const { code, reason } = await socket.closed;
    process.stderr.write(`closed with ${code} ${reason}\n`);
    return { code, wasOpen: true };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return { wasOpen: false };
  }
}

function readWish(args: readonly string[]): Wish | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        device: { type: 'string', default: 'listen' },
        url: { type: 'string', default: 'ws://127.0.0.1:3001/v1/connect' },
      },
    });
    const [user, ...more] = positionals;
    if (more.length > 0 || !isUserId(user) || !isDeviceId(values.device)) return undefined;
    return { user, device: values.device, url: new URL(values.url).href };
  } catch {
    return undefined;
  }
}

void listen(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
