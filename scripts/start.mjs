/** `npm start`: installs and builds what is missing, then starts the local stack in this process. */
import { bootstrap } from './lib/bootstrap.mjs';
import { step } from './lib/steps.mjs';

await bootstrap();
const { start } = await import('../libs/stack/dist/start.js');
stopWithNpm();
process.exit(await start(process.argv.slice(2), step));

/** A shell between npm and this process may die of a signal without passing it on. */
function stopWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  timer.unref();
}
