/**
 * Loaded before a service whose memory is measured, with --expose-gc. At SIGUSR2 it collects the garbage and prints
 * what is left. Plain JavaScript, because Node loads it before anything else.
 */
process.on('SIGUSR2', () => {
  globalThis.gc();
  setTimeout(() => {
    globalThis.gc();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.stdout.write(`${JSON.stringify({ benchMemory: { rss, heapUsed, external } })}\n`);
  }, 100);
});
