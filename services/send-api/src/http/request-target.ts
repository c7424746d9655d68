const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/is;

/**
 * The path and query of a request target (RFC 9112 §3.2): a target that names a whole URL is for this server, too.
 * Null where it is neither.
 */
export function originForm(target: string): string | null {
  if (target.startsWith('/') || target === '*') return target;
  const [, path] = ABSOLUTE_FORM.exec(target) ?? [];
  if (path === undefined || !URL.canParse(target)) return null;
  return path.startsWith('/') ? path : `/${path}`;
}
