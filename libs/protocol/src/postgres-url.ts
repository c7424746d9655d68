/** What a `DATABASE_URL` looks like. */
export const POSTGRES_URL_EXAMPLE = 'postgres://posthorn:PASSWORD@localhost:5432/posthorn';

const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/**
 * What is wrong with the address of a Postgres; null when nothing is. Goes on from the setting's name, and never
 * repeats the value: it holds a password.
 */
export function findPostgresUrlFault(text: string): string | null {
  // A URL parser trims white space, and takes `postgres:name` for an address without a server.
  if (!/^postgres(?:ql)?:\/\/\S*$/.test(text) || !URL.canParse(text)) {
    return 'has to be a URL that begins with postgres:// or postgresql:// (its value is not shown)';
  }
  const { username, password, hostname, pathname, searchParams } = new URL(text);
  const parts = { 'user name': username, password, host: hostname, 'name of the database': pathname };
  for (const [part, encoded] of Object.entries(parts)) {
    if (!isDecodable(encoded)) {
      return `has a ${part} with a % that begins no percent-encoding: a % itself is written %25 (its value is not shown)`;
    }
  }
  const sslMode = searchParams.get('sslmode');
  if (sslMode !== null && !SSL_MODES.includes(sslMode)) {
    return `has an sslmode that is none of ${SSL_MODES.join(', ')} (its value is not shown)`;
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
