import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { mintToken } from '@posthorn/runtime';
import { playAgainstServer } from './play-against-server';
import { playAsServer } from './play-as-server';
import { clientTranscripts, serverTranscripts } from './transcript';

const EX_USAGE = 64;
const EX_CONFIG = 78;
const USAGE = `usage: pnpm conformance server [--api URL] [--gateway URL] [--only NAME]
       pnpm conformance client --command COMMAND [--only NAME]

server: plays the transcripts of conformance/server against a running server. Tokens are signed with AUTH_JWT_SECRET.
client: plays those of conformance/client as the server. For each it runs COMMAND with POSTHORN_GATEWAY in the
        environment: a program that connects as alice, device "phone", with any token, acknowledges what it gets, and
        prints the text of each message as a line, once it is handled. It is ended with SIGTERM.

  --api URL       send-api (http://127.0.0.1:3000)
  --gateway URL   ws-gateway (ws://127.0.0.1:3001)
  --only NAME     this transcript only
`;

async function main(args: readonly string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        api: { type: 'string', default: 'http://127.0.0.1:3000' },
        gateway: { type: 'string', default: 'ws://127.0.0.1:3001' },
        command: { type: 'string' },
        only: { type: 'string' },
      },
    });
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return EX_USAGE;
  }
  const { values, positionals } = parsed;
  const isWanted = ({ name }: { name: string }): boolean => values.only === undefined || values.only === name;
  const results: { name: string; outcome: string; fault?: string }[] = [];
  const tell = (result: (typeof results)[number]): void => {
    results.push(result);
    process.stdout.write(
      `${result.outcome.padEnd(9)} ${result.name}${result.fault === undefined ? '' : `: ${result.fault}`}\n`,
    );
  };
  if (positionals.join() === 'server') {
    const secret = process.env['AUTH_JWT_SECRET'];
    if (!secret) {
      process.stderr.write('AUTH_JWT_SECRET is not set: it is the secret of the server\n');
      return EX_CONFIG;
    }
    const server = {
      api: values.api,
      gateway: values.gateway,
      token: (user: string) => mintToken({ user, secret }),
    };
    for (const transcript of serverTranscripts().filter(isWanted))
      tell(await playAgainstServer(transcript, server));
  } else if (positionals.join() === 'client' && values.command !== undefined) {
    const { command } = values;
    for (const transcript of clientTranscripts().filter(isWanted))
      tell(await playAsServer(transcript, (gateway) => startCommand(command, gateway)));
  } else {
    process.stderr.write(USAGE);
    return EX_USAGE;
  }
  const count = (wanted: string): number => results.filter(({ outcome }) => outcome === wanted).length;
  const [passed, failed, leftOut] = ['passed', 'failed', 'left out'].map(count);
  process.stdout.write(`${passed} passed, ${failed} failed, ${leftOut} left out\n`);
  return failed === 0 && passed !== 0 ? 0 : 1;
}

async function startCommand(command: string, gateway: string) {
  const child = spawn(command, {
    shell: true,
    env: { ...process.env, POSTHORN_GATEWAY: gateway },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    handled: () => text.split('\n').slice(0, -1),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
