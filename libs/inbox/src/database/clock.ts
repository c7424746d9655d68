/** Half of the 24 hours that `message_id_time_check` allows between a message's id and its commit. */
const MAX_HOURS = 12;
const HOUR_MS = 3_600_000;

/** SQL for the current time of Postgres, in milliseconds since 1970. */
export const clockMsSql = '(extract(epoch FROM clock_timestamp()) * 1000)::float8';

/** Says what is wrong when our clock and that of Postgres differ by about 12 hours or more; null otherwise. */
export function faultOfClock(postgresMs: number): string | null {
  const hours = Math.round(Math.abs(Date.now() - postgresMs) / HOUR_MS);
  if (hours < MAX_HOURS) return null;
  return `the clock is ${hours} hours off that of Postgres: correct the one that is wrong`;
}
