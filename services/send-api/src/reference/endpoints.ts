import { buildAsyncApi } from '@posthorn/protocol';
import type { Endpoint } from '../http/endpoint';
import type { OpenApiDocument } from './openapi';

/** `GET /openapi.json` for this service and `GET /asyncapi.json` for the gateways. Both are encoded only once. */
export function referenceEndpoints(document: OpenApiDocument): Endpoint[] {
  return [serving('/openapi.json', document), serving('/asyncapi.json', buildAsyncApi())];
}

function serving(path: string, document: object): Endpoint {
  const body = JSON.stringify(document, null, 2);
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'public, max-age=300',
  };
  return {
    method: 'get',
    path,
    handle: (_req, res) => {
      res.writeHead(200, headers);
      res.end(body);
    },
  };
}
