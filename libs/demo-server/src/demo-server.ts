import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join, relative } from 'node:path';

/** The options of the demo page. */
export interface DemoOptions {
  /** The folder of the built page: `demo/dist`. */
  folder: string;
  /** The address to listen on; by default only this machine can connect. */
  host?: string;
  /** The port of the page. ALLOWED_ORIGINS of the services must contain the page's origin. */
  port: number;
  /**
   * The services' addresses for the browser: one send-api, and gateways as `ws://`. Alice uses the first gateway, bob
   * the last.
   */
  api: string;
  gateways: readonly string[];
  /** A token for alice or bob. */
  token: (user: string) => Promise<string>;
  /** What the page may do to the services, by buttons. Without the functions there are no buttons. */
  killGateway?: (index: number) => Promise<void>;
  wipeRedis?: () => Promise<void>;
}

/** A running demo page. */
export interface DemoServer {
  url: string;
  stop(): Promise<void>;
}

/** An answer: a status, and a text with its type. */
interface Answer {
  status: number;
  body: string | Buffer;
  contentType: string;
}

const THIS_MACHINE = '127.0.0.1';
const USERS = ['alice', 'bob'];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** The origins under which the page may be opened. */
export function demoOrigins(port: number): string[] {
  return [`http://${THIS_MACHINE}:${port}`, `http://localhost:${port}`];
}

/**
 * Serves the demo page, with tokens for alice and bob, and the actions on the services.
 * Anybody who can reach it can act as alice or bob, but no other page can use it: each request, except for files,
 * needs the name of this host and a header that a page of another origin cannot send.
 */
export async function startDemoServer(options: DemoOptions): Promise<DemoServer> {
  const files = readFiles(options.folder);
  const policy = policyFor(options);
  const server = createServer((request, response) => {
    answer(request, options, files).then(
      (result) => write(response, result, policy),
      (error: unknown) =>
        write(response, text(500, error instanceof Error ? error.message : String(error)), policy),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host ?? THIS_MACHINE, resolve);
  });
  // A connection that cannot be accepted must not end the stack. The browser tries again.
  server.on('error', () => undefined);
  return { url: `http://${THIS_MACHINE}:${options.port}`, stop: () => stop(server) };
}

function readFiles(folder: string): Map<string, Answer> {
  if (!existsSync(folder)) throw new Error(`the demo page is not built: there is no ${folder}`);
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const files = new Map<string, Answer>();
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name);
    const contentType = TYPES[extname(path)] ?? 'application/octet-stream';
    files.set(`/${relative(folder, path)}`, { status: 200, body: readFileSync(path), contentType });
  }
  const page = files.get('/index.html');
  if (page !== undefined) files.set('/', page);
  return files;
}

async function answer(
  request: IncomingMessage,
  options: DemoOptions,
  files: ReadonlyMap<string, Answer>,
): Promise<Answer> {
  const { method = 'GET', url = '/', headers } = request;
  if (!demoOrigins(options.port).includes(`http://${headers.host ?? ''}`)) return text(403, 'another host');
  const file = files.get(url);
  if (file !== undefined) return method === 'GET' || method === 'HEAD' ? file : text(405, 'only GET');
  if (headers['x-posthorn-demo'] === undefined) return text(403, 'the header X-Posthorn-Demo is missing');
  return (await act(`${method} ${url}`, options)) ?? text(404, 'there is no such thing');
}

async function act(
  what: string,
  { api, gateways, token, killGateway, wipeRedis }: DemoOptions,
): Promise<Answer | undefined> {
  const user = /^GET \/tokens\/(\w+)$/.exec(what)?.[1];
  if (user !== undefined && USERS.includes(user)) return text(200, await token(user));
  if (what === 'GET /stack.json') {
    const can = { kill: killGateway !== undefined, wipe: wipeRedis !== undefined };
    return { status: 200, body: JSON.stringify({ api, gateways, can }), contentType: 'application/json' };
  }
  const gateway = Number(/^POST \/gateways\/(\d)\/kill$/.exec(what)?.[1] ?? Number.NaN);
  if (killGateway !== undefined && gateway < gateways.length) {
    await killGateway(gateway);
    return text(200, 'killed, and started again');
  }
  if (wipeRedis === undefined || what !== 'POST /redis/wipe') return undefined;
  await wipeRedis();
  return text(200, 'wiped');
}

function policyFor({ api, gateways }: DemoOptions): string {
  const reached = [api, ...gateways];
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    'img-src data:',
    `connect-src 'self' ${reached.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function text(status: number, body: string): Answer {
  return { status, body, contentType: 'text/plain; charset=utf-8' };
}

function write(response: ServerResponse, { status, body, contentType }: Answer, policy: string): void {
  response.writeHead(status, {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': policy,
    'Content-Type': contentType,
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
