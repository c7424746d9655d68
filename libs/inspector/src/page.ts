import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AdminRoute } from '@posthorn/runtime';

const ASSETS = join(__dirname, '..', 'assets');
const FILES = [
  { path: '/inspect', file: 'inspect.html', contentType: 'text/html; charset=utf-8' },
  { path: '/inspect/inspect.js', file: 'inspect.js', contentType: 'text/javascript; charset=utf-8' },
  { path: '/inspect/inspect.css', file: 'inspect.css', contentType: 'text/css; charset=utf-8' },
] as const;
/** The page may load and reach only this port. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The files of the inspector's page. They need no token: the page asks for its data with the token. */
export function pageRoutes(): AdminRoute[] {
  return FILES.map(({ path, file, contentType }) => {
    const body = readFileSync(join(ASSETS, file), 'utf8');
    const headers = { 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff' };
    return { method: 'GET', path, handle: async () => ({ status: 200, body, contentType, headers }) };
  });
}
