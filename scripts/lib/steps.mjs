/** Shows progress: one line per step, with a check mark and the duration. */

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
/** Without a terminal, a step that takes longer than this prints that it has begun. */
const LONG_MS = 5_000;

const isTerminal = process.stdout.isTTY && !process.env.CI;

/** Runs the work. `say` changes the sentence during the work. Returns the work's result, or throws its error. */
export async function step(sentence, work) {
  const startedAt = performance.now();
  let now = sentence;
  const elapsed = () => duration(performance.now() - startedAt);
  const ticker = isTerminal ? spin(() => `${now} … ${elapsed()}`) : announce(() => now);
  try {
    const result = await work((next) => {
      now = next;
    });
    ticker.stop();
    process.stdout.write(`✓ ${now}  ${elapsed()}\n`);
    return result;
  } catch (error) {
    ticker.stop();
    process.stdout.write(`✗ ${now}  ${elapsed()}\n`);
    throw error;
  }
}

/** `12 ms`, `3.4 s`, `2 min 5 s` */
export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function spin(text) {
  let frame = 0;
  const draw = () => {
    const line = `${FRAMES[frame % FRAMES.length]} ${text()}`.slice(0, (process.stdout.columns ?? 80) - 1);
    process.stdout.write(`\r\u001b[2K${line}`);
    frame += 1;
  };
  draw();
  const timer = setInterval(draw, FRAME_MS);
  return {
    stop() {
      clearInterval(timer);
      process.stdout.write('\r\u001b[2K');
    },
  };
}

function announce(text) {
  const timer = setTimeout(() => process.stdout.write(`… ${text()}\n`), LONG_MS);
  return { stop: () => clearTimeout(timer) };
}
