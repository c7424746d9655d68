/** An example of a `DATABASE_URL`, for error messages. */
export const POSTGRES_URL_EXAMPLE = 'postgres://posthorn:PASSWORD@localhost:5432/posthorn';

const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/**
 * What is wrong with the address of a Postgres; null when nothing is. The text continues the setting's name ("must be …")
 * and never repeats the value, which holds a password.
 */
export function findPostgresUrlFault(text: string): string | null {
  // A URL parser would trim white space, and accept `postgres:name` as an address without a server.
  if (!/^postgres(?:ql)?:\/\/\S*$/.test(text) || !URL.canParse(text)) {
    return 'must be a URL that begins with postgres:// or postgresql:// (its value is not shown)';
  }
  const { username, password, hostname, pathname, searchParams } = new URL(text);
  const parts = { 'user name': username, password, host: hostname, 'name of the database': pathname };
  for (const [part, encoded] of Object.entries(parts)) {
    if (!isDecodable(encoded)) {
      return `has a ${part} with a % that is not part of a percent-encoding; write a literal % as %25 (its value is not shown)`;
    }
  }
  const sslMode = searchParams.get('sslmode');
  if (sslMode !== null && !SSL_MODES.includes(sslMode)) {
    return `has an unknown sslmode; use one of ${SSL_MODES.join(', ')} (its value is not shown)`;
  }
  return null;
}

function isDecodable(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}
