const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/is;

/**
 * Returns the path and query of a request target (RFC 9112 §3.2). The target may also be a whole URL, whose host is
 * not checked. Null if it is neither a path, nor a URL, nor `*`.
 */
export function originForm(target: string): string | null {
  if (target.startsWith('/') || target === '*') return target;
  const [, path] = ABSOLUTE_FORM.exec(target) ?? [];
  if (path === undefined || !URL.canParse(target)) return null;
  return path.startsWith('/') ? path : `/${path}`;
}
