import type { Endpoint } from '../endpoint';
import type { OpenApiDocument } from './openapi';

/** `GET /openapi.json`: encoded once, the same for everybody. */
export function referenceEndpoints(document: OpenApiDocument): Endpoint[] {
  const body = JSON.stringify(document, null, 2);
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'public, max-age=300',
  };
  return [
    {
      method: 'get',
      path: '/openapi.json',
      handle: (_req, res) => {
        res.writeHead(200, headers);
        res.end(body);
      },
    },
  ];
}
