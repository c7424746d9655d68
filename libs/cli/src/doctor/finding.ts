/** What a check found. */
export interface Finding {
  /** What was checked, for example `postgres schema`. */
  check: string;
  /** `fault`: it does not work, or a promise does not hold. `warning`: it works, but perhaps not for long. */
  state: 'ok' | 'warning' | 'fault';
  detail: string;
  /** What to do, unless the state is `ok`. */
  remedy?: string;
}

export function ok(check: string, detail: string): Finding {
  return { check, state: 'ok', detail };
}

export function warning(check: string, detail: string, remedy: string): Finding {
  return { check, state: 'warning', detail, remedy };
}

export function fault(check: string, detail: string, remedy: string): Finding {
  return { check, state: 'fault', detail, remedy };
}

/**
 * The message of a thrown value. An error about several addresses has no message of its own, but one for each
 * address.
 */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return wordsOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** The code of a thrown error: from the system (`ECONNREFUSED`) or from Postgres (`28P01`). */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

const TIMES = 7;
/** Above this, every message waits noticeably for this store. */
const SLOW_MS = 20;

/** The latency of a store: the median of seven answers. It is judged as for a store in the same data centre. */
export async function findLatency(check: string, ask: () => Promise<unknown>): Promise<Finding> {
  const times: number[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const startedAt = performance.now();
    await ask();
    times.push(performance.now() - startedAt);
  }
  return latencyFinding(check, times);
}

/** Judges answer times, in ms. */
export function latencyFinding(check: string, times: readonly number[]): Finding {
  const medianMs = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  const detail = `${medianMs.toFixed(1)} ms, the median of ${times.length}`;
  if (medianMs <= SLOW_MS) return ok(check, detail);
  return warning(check, detail, `Every message waits for it: put it within ${SLOW_MS} ms of the services.`);
}

/** Tokens and receipts compare clocks. Services accept a token for 5 s after its expiry (PROTOCOL §3.2). */
const FAULT_SKEW_MS = 5_000;
const WARNING_SKEW_MS = 1_000;

/** The difference between this machine's clock and that of a store, whose answer took `tookMs`. */
export function findClockSkew(check: string, theirsMs: number, oursMs: number, tookMs: number): Finding {
  const skewMs = Math.max(0, Math.abs(theirsMs - oursMs) - tookMs);
  const detail = `${Math.round(skewMs)} ms from the clock of this machine`;
  if (skewMs <= WARNING_SKEW_MS) return ok(check, detail);
  const found = skewMs > FAULT_SKEW_MS ? fault : warning;
  return found(
    check,
    detail,
    'Synchronize both machines with NTP (chrony). Otherwise tokens expire too early or too late.',
  );
}
