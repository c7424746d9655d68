/** The WebSocket half of the hand-made pair. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import Redis from 'ioredis';
import { jwtVerify } from 'jose';
import { Pool } from 'pg';
import { type WebSocket, WebSocketServer } from 'ws';
import { listen, peerSettings } from '../peer-process';

const { databaseUrl, redisUrl, secret } = peerSettings(process.env);
const id = randomUUID();
const pool = new Pool({ connectionString: databaseUrl, max: 20 });
const redis = new Redis(redisUrl);
const subscriber = new Redis(redisUrl);
const sockets = new Map<string, WebSocket>();

const server = createServer();
const webSockets = new WebSocketServer({ noServer: true });

server.on('upgrade', (req, socket, head) => void upgrade(req, socket, head));

async function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  try {
    const [, token = ''] = (req.headers.authorization ?? '').split(' ');
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    webSockets.handleUpgrade(req, socket, head, (ws) => void connected(ws, String(payload.sub)));
  } catch {
    socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
  }
}

async function connected(ws: WebSocket, user: string): Promise<void> {
  sockets.set(user, ws);
  ws.on('error', () => ws.terminate());
  ws.on('message', (data: Buffer) => void receive(data.toString()));
  ws.on('close', () => {
    if (sockets.get(user) !== ws) return;
    sockets.delete(user);
    void redis.del(`presence:${user}`);
  });
  await redis.set(`presence:${user}`, id);
  ws.send(JSON.stringify({ type: 'ready', user }));
  const [waiting] =
    (await redis.multi().lrange(`offline:${user}`, 0, -1).del(`offline:${user}`).exec()) ?? [];
  for (const json of (waiting?.[1] ?? []) as string[]) ws.send(json);
}

async function receive(text: string): Promise<void> {
  const ack = JSON.parse(text) as { type: string; id: string };
  if (ack.type !== 'ack') return;
  await pool.query('UPDATE messages SET delivered_at = now() WHERE id = $1 AND delivered_at IS NULL', [
    ack.id,
  ]);
}

subscriber.on('message', (_channel, json: string) => {
  const { recipient } = JSON.parse(json) as { recipient: string };
  sockets.get(recipient)?.send(json);
});

void subscriber.subscribe(`gateway:${id}`).then(() => listen(server));
