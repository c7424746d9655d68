import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type Logger,
  PROBLEM_CONTENT_TYPE,
  Problem,
  problem,
  problemBody,
  problemOfParserError,
  problemResponse,
  requestIdFrom,
} from '@posthorn/runtime';
import { checkHandshake } from '../connect/connect-request';

/** The HTTP server on the gateway's public port. */
export interface HttpServer {
  port: number;
  close(): Promise<void>;
}

interface HttpServerOptions {
  port: number;
  /** How long the headers of a request may take to arrive. An incomplete request is refused then. */
  headersTimeoutMs: number;
  log: Logger;
}

const MAX_HEADER_BYTES = 16_384;

/**
 * Listens for upgrade requests. Any other request gets a problem.
 * @throws the error of `listen` if the port is not available
 */
export async function openHttpServer(
  { port, headersTimeoutMs, log }: HttpServerOptions,
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void,
): Promise<HttpServer> {
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: headersTimeoutMs,
      connectionsCheckingInterval: headersTimeoutMs / 10,
      maxHeaderSize: MAX_HEADER_BYTES,
      requireHostHeader: false,
      keepAliveTimeout: 5_000,
    },
    refuseRequest,
  );
  // By default Node answers these without a problem, or asks for a body that nobody reads.
  server.on('checkContinue', refuseRequest);
  server.on('checkExpectation', refuseRequest);
  server.on('connect', (_request, socket) =>
    refuseRaw(socket, problem('method_not_allowed', { headers: { Allow: 'GET' } })),
  );
  server.on('upgrade', onUpgrade);
  server.on('clientError', (error, socket) => refuseRaw(socket, problemOfParserError(error)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error('http server failed', { error }));
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers on the bare socket, because there is no response object, and closes it. */
function refuseRaw(socket: Duplex, answer: Problem): void {
  socket.on('error', () => undefined); // the peer is gone and needs no answer
  // After `end` alone the socket would stay open until the peer closes its side.
  const cut = (): unknown => socket.destroy();
  if (socket.writable) socket.end(problemResponse(answer, requestIdFrom(undefined)), cut);
  else cut();
}

/** Refuses a request that is not an upgrade. */
function refuseRequest(request: IncomingMessage, response: ServerResponse): void {
  const requestId = requestIdFrom(request.headersDistinct['x-request-id']);
  const answer = handshakeProblem(request);
  const body = JSON.stringify(problemBody(answer));
  response.writeHead(answer.status, {
    ...answer.headers,
    'Content-Type': PROBLEM_CONTENT_TYPE,
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': requestId,
  });
  response.end(body);
}

function handshakeProblem(request: IncomingMessage): Problem {
  try {
    checkHandshake(request);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  return problem('upgrade_required', { headers: { Upgrade: 'websocket' } });
}
