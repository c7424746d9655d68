import { isAlive } from './command-of';
import { startProcess } from './managed-process';

/** Only ends a test that hangs. */
const HANG_MS = 60_000;

function startNode(program: string) {
  return startProcess({
    name: 'The program',
    command: process.execPath,
    args: ['-e', program],
    env: {},
    orphanSignal: 'SIGKILL',
  });
}

it('hands over a line that came before it was asked for, and one that comes later', async () => {
  const child = await startNode("console.log('one'); setTimeout(() => console.error('two'), 300)");
  expect(await child.waitForLine((line) => line === 'one', HANG_MS)).toBe('one');
  expect(await child.waitForLine((line) => line === 'two', HANG_MS)).toBe('two');
  expect(await child.waitForLine((line) => line === 'one', HANG_MS)).toBe('one');
  expect(await child.exited).toEqual({ code: 0, signal: null });
});

it('says how it ended, with its last words, when the line never comes', async () => {
  const child = await startNode("console.error('my last words'); process.exit(3)");
  await expect(child.waitForLine(() => false, HANG_MS)).rejects.toThrow(/exit code 3.*my last words/s);
});

it('says so when the line is late', async () => {
  const child = await startNode('setInterval(() => {}, 1000)');
  await expect(child.waitForLine(() => false, 100)).rejects.toThrow('not ready after 0.1 s');
  expect(await child.stop('SIGTERM', HANG_MS)).toEqual({ code: null, signal: 'SIGTERM' });
});

it('kills what does not stop in time', async () => {
  const child = await startNode(
    "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
  );
  await child.waitForLine((line) => line === 'up', HANG_MS);
  expect(await child.stop('SIGTERM', 200)).toEqual({ code: null, signal: 'SIGKILL' });
  expect(isAlive(child.pid)).toBe(false);
  expect(await child.stop('SIGTERM', 200)).toEqual({ code: null, signal: 'SIGKILL' });
});

it('keeps the last 2,000 lines', async () => {
  const child = await startNode('for (let n = 1; n <= 2500; n += 1) console.log(n)');
  await child.exited;
  expect(child.logs()).toHaveLength(2_000);
  expect(child.logs().at(-1)).toBe('2500');
});

it('rejects a command that does not exist', async () => {
  const options = { name: 'Nothing', command: '/no/such/program', args: [], env: {} };
  await expect(startProcess({ ...options, orphanSignal: 'SIGKILL' })).rejects.toThrow(/Nothing.*ENOENT/);
});
