/** Half of what a message's id may be off from its commit (`message_id_time_check`). */
const MAX_HOURS = 12;
const HOUR_MS = 3_600_000;

/** SQL for Postgres' time, in milliseconds. */
export const clockMsSql = '(extract(epoch FROM clock_timestamp()) * 1000)::float8';

/** What is wrong where our clock and that of Postgres are far from each other; null when they are not. */
export function faultOfClock(postgresMs: number): string | null {
  const hours = Math.round(Math.abs(Date.now() - postgresMs) / HOUR_MS);
  if (hours < MAX_HOURS) return null;
  return `the clock is ${hours} hours off that of Postgres: set the one that is wrong`;
}
