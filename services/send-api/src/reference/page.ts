import { createHash } from 'node:crypto';
import { problem } from '@posthorn/runtime';
import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import { generateHTML, serve } from 'swagger-ui-express';
import { sendNothing } from '../http/answer';
import { isDecodable } from '../http/is-decodable';

/**
 * Serves `GET /docs`, the reference for people (PROTOCOL §4.9). All its files come from this process, so it works
 * offline. Its content security policy lets it load and reach nothing else.
 */
export function createReferencePage(): RequestHandler {
  const html = pageHtml();
  const router = Router({ strict: true, caseSensitive: true });
  router.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: policyFor(html) },
      frameguard: { action: 'deny' },
      // The header would hold for the whole domain. That is for the proxy that terminates TLS to decide.
      strictTransportSecurity: false,
    }),
  );
  router.use((req, res, next) => {
    const isFile = FILE.test(req.path);
    if (!isFile && req.path !== '/')
      throw isDecodable(req.path) ? problem('not_found') : problem('malformed_request');
    if (req.method === 'OPTIONS') return sendNothing(res, ALLOW);
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    if (!isRead) throw problem('method_not_allowed', { headers: ALLOW });
    if (isFile) return next();
    // The page's links are relative to `/docs`. Under `/docs/` they would be broken.
    if (req.originalUrl.split('?', 1)[0]?.endsWith('/')) return res.redirect(308, '../docs');
    res.set('Cache-Control', 'public, max-age=300').type('html').send(html);
  });
  router.use(...serve);
  return router;
}

const ALLOW = { Allow: 'GET, HEAD, OPTIONS' };

/** The only files that are served: those that the page loads. The package contains others. */
const FILE =
  /^\/(?:swagger-ui\.css|swagger-ui-(?:bundle|standalone-preset|init)\.js|favicon-(?:16x16|32x32)\.png)$/;

/** The links are relative, so the page also works if a proxy adds a prefix. */
function pageHtml(): string {
  const html = generateHTML(undefined, {
    customSiteTitle: 'Posthorn HTTP reference',
    customCss: '',
    swaggerUrl: OPENAPI_FROM_PAGE,
    swaggerOptions: {
      url: OPENAPI_FROM_PAGE,
      validatorUrl: null,
      docExpansion: 'list',
      tryItOutEnabled: true,
    },
  });
  return html.replaceAll('"./', '"docs/');
}

const OPENAPI_FROM_PAGE = 'openapi.json';

function policyFor(html: string): Record<string, string[]> {
  const inlineStyles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, css = '']) =>
    sha256Source(css),
  );
  return {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'", ...inlineStyles],
    'img-src': ["'self'", 'data:'],
    'connect-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  };
}

function sha256Source(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
