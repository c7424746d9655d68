import { parseArgs } from 'node:util';
import { runFanOut } from './soak/fan-out';
import { runLongDrain } from './soak/long-drain';
import { printFindings } from './soak/report';
import { ServiceWatch } from './soak/service-watch';
import { startSoakStack } from './soak/soak-stack';
import { runTraffic } from './soak/traffic';

const USAGE = 'usage: pnpm soak [--messages 100000] [--users 1000] [--only traffic|fan-out|long-drain]\n';
const EX_USAGE = 64;

/**
 * `pnpm soak`: real traffic through two processes of each service. It accounts for every message and exits with 1 if
 * one is missing.
 */
async function soak(): Promise<number> {
  const { values } = parseArgs({
    options: { messages: { type: 'string' }, users: { type: 'string' }, only: { type: 'string' } },
  });
  const messages = Number(values.messages ?? 100_000);
  const users = Number(values.users ?? 1_000);
  const known = ['traffic', 'fan-out', 'long-drain'];
  if (!(messages >= 1 && users >= 2) || (values.only !== undefined && !known.includes(values.only))) {
    process.stderr.write(USAGE);
    return EX_USAGE;
  }
  const isWanted = (name: string): boolean => values.only === undefined || values.only === name;

  process.stdout.write('Starting Postgres, Redis, 2 × send-api and 2 × ws-gateway …\n');
  const stack = await startSoakStack();
  const watch = new ServiceWatch([...stack.sendApis, ...stack.wsGateways]);
  const results: boolean[] = [];
  try {
    if (isWanted('traffic')) {
      const findings = await runTraffic(stack, watch, { messages, users, senders: 64 });
      results.push(
        printFindings(`Traffic: ${messages} messages of 256 bytes between ${users} users`, findings),
      );
    }
    if (isWanted('fan-out')) {
      results.push(
        printFindings('Fan-out: one message to 1,000 connected users', await runFanOut(stack, watch)),
      );
    }
    if (isWanted('long-drain')) {
      const findings = await runLongDrain(stack, watch, messages);
      results.push(printFindings(`Long drain: ${messages} messages wait for one device`, findings));
    }
  } finally {
    await watch.stop();
    await stack.stop();
  }
  const isGood = results.every(Boolean);
  process.stdout.write(
    isGood ? '\nEvery message is accounted for.\n' : '\nSomething is not as promised: see ✗.\n',
  );
  return isGood ? 0 : 1;
}

soak().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `the soak failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  },
);
