/** The WebSocket half of the floor. On connect it sends the stored messages, then it passes on what is published. */
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import Redis from 'ioredis';
import { Pool } from 'pg';
import { type WebSocket, WebSocketServer } from 'ws';
import { listen, peerSettings } from '../peer-process';
import { TokenCache } from './token-cache';

interface Published {
  id: number;
  from: string;
  to: string[];
  text: string;
}

const { databaseUrl, redisUrl, secret } = peerSettings(process.env);
const pool = new Pool({ connectionString: databaseUrl, max: 4 });
const subscriber = new Redis(redisUrl);
const tokens = new TokenCache(secret);
const sockets = new Map<string, WebSocket>();

const server = createServer();
const TEXT_FRAME = { binary: false };
const webSockets = new WebSocketServer({ noServer: true });

server.on('upgrade', (req, socket, head) => void upgrade(req, socket, head));

async function upgrade(req: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const authorization = req.headers.authorization ?? '';
  const user = tokens.known(authorization) ?? (await tokens.verify(authorization));
  const { rows } = await pool.query<{ id: string; sender: string; text: string }>({
    name: 'drain',
    text: `SELECT m.id, m.sender, m.text FROM entries e JOIN messages m ON m.id = e.message_id
      WHERE e.recipient = $1 ORDER BY e.message_id DESC LIMIT 1000`,
    values: [user],
  });
  webSockets.handleUpgrade(req, socket, head, (ws) => {
    ws.on('error', () => ws.terminate());
    ws.on('close', () => {
      if (sockets.get(user) === ws) sockets.delete(user);
    });
    sockets.set(user, ws);
    ws.send('{"type":"ready"}');
    for (const { id, sender, text } of rows.toReversed())
      ws.send(frameOf({ id: Number(id), from: sender, text }), TEXT_FRAME);
  });
}

function frameOf({ id, from, text }: Omit<Published, 'to'>): Buffer {
  return Buffer.from(JSON.stringify({ type: 'message', id, from, text }));
}

subscriber.on('message', (_channel, json: string) => {
  for (const message of JSON.parse(json) as Published[]) {
    const frame = frameOf(message);
    for (const user of message.to) sockets.get(user)?.send(frame, TEXT_FRAME);
  }
});

void subscriber.subscribe('messages').then(() => listen(server));
