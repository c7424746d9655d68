/**
 * A preload (`node --require`) that shifts the wall clock of a process by CHAOS_CLOCK_SKEW_MS. Timers and
 * performance.now() stay the same: a wrong clock runs as fast as a right one.
 */
const RealDate = Date;
const realNow = Date.now;
const skewMs = Number(process.env.CHAOS_CLOCK_SKEW_MS);
if (!Number.isFinite(skewMs)) {
  process.stderr.write('CHAOS_CLOCK_SKEW_MS is not a number of milliseconds\n');
  process.exit(70);
}

RealDate.now = () => realNow() + skewMs;
globalThis.Date = new Proxy(RealDate, {
  apply: (target) => new target(target.now()).toString(),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget),
});
RealDate.prototype.constructor = globalThis.Date;
