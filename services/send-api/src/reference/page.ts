import { createHash } from 'node:crypto';
import { problem } from '@posthorn/runtime';
import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import { generateHTML, serve } from 'swagger-ui-express';
import { sendNothing } from '../http/answer';
import { isDecodable } from '../http/is-decodable';

/**
 * `GET /docs`: the reference for people. Everything it needs comes from this process, so it works offline, and
 * its content security policy lets it load and reach nothing else.
 */
export function createReferencePage(): RequestHandler {
  const html = pageHtml();
  const router = Router({ strict: true, caseSensitive: true });
  router.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: policyFor(html) },
      frameguard: { action: 'deny' },
      // Whoever terminates TLS knows what else lives on the domain; this process does not.
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
    // The page's links count from `/docs`: one level deeper they would lead nowhere.
    if (req.originalUrl.split('?', 1)[0]?.endsWith('/')) return res.redirect(308, '../docs');
    res.set('Cache-Control', 'public, max-age=300').type('html').send(html);
  });
  router.use(...serve);
  return router;
}

const ALLOW = { Allow: 'GET, HEAD, OPTIONS' };

/** What the page loads; its packages hold more, which is nobody's business. */
const FILE =
  /^\/(?:swagger-ui\.css|swagger-ui-(?:bundle|standalone-preset|init)\.js|favicon-(?:16x16|32x32)\.png)$/;

/** Its links lead below `/docs`, wherever a proxy puts the whole. */
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
