/** The process that makes the load. It gets commands from the bench over IPC, one object each, and answers each. */
import { Driver, type Target } from './driver';
import type { Command, Reply } from './remote-driver';

let driver: Driver | null = null;

async function run({ method, args }: Command): Promise<unknown> {
  if (method === 'open') {
    driver = new Driver((args as [Target])[0]);
    return null;
  }
  if (driver === null) throw new Error('the driver has no target yet');
  const work = driver[method] as (...args: unknown[]) => Promise<unknown>;
  return await work.apply(driver, args);
}

process.on('message', (command: Command) => {
  const reply = (rest: Omit<Reply, 'id'>): void => void process.send?.({ id: command.id, ...rest });
  run(command).then(
    (result) => reply({ result }),
    (error: unknown) =>
      reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
// The bench is gone, so the load must end too.
process.on('disconnect', () => process.exit(1));
