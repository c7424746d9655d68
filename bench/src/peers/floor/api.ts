/**
 * The HTTP half of the floor: Express as a router, a cached token, and one INSERT and one publish for all messages
 * that gathered during the previous write. No validation, keys, counters, presence or error handling.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import express from 'express';
import Redis from 'ioredis';
import { Pool } from 'pg';
import { listen, peerSettings } from '../peer-process';
import { TokenCache } from './token-cache';

interface Send {
  id: number;
  from: string;
  to: string[];
  text: string;
  res: ServerResponse;
}

const { databaseUrl, redisUrl, secret } = peerSettings(process.env);
const pool = new Pool({ connectionString: databaseUrl, max: 4 });
const redis = new Redis(redisUrl);
const tokens = new TokenCache(secret);
const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.disable('query parser');

let nextId = Date.now() * 1_000;
let gathering: Send[] = [];
let underWay = 0;
/** How many batches may be written at the same time. While they are written, one more gathers. */
const MAX_UNDER_WAY = 2;

app.post('/messages', async (req, res) => {
  const authorization = req.headers.authorization ?? '';
  const body = readBody(req);
  const from = tokens.known(authorization) ?? (await tokens.verify(authorization));
  const { to, text } = JSON.parse(await body) as { to: string[]; text: string };
  gathering.push({ id: nextId++, from, to, text, res });
  if (underWay < MAX_UNDER_WAY) void writeBatches();
});

async function writeBatches(): Promise<void> {
  underWay++;
  while (gathering.length > 0) {
    const batch = gathering;
    gathering = [];
    await store(batch);
    await redis.publish(
      'messages',
      JSON.stringify(batch.map(({ id, from, to, text }) => ({ id, from, to, text }))),
    );
    for (const { id, from, to, text, res } of batch) {
      const json = JSON.stringify({ id, from, to, text });
      res.writeHead(201, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) });
      res.end(json);
    }
  }
  underWay--;
}

async function store(batch: readonly Send[]): Promise<void> {
  await pool.query({
    name: 'store',
    text: `WITH stored AS (
        INSERT INTO messages (id, sender, text) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])
      )
      INSERT INTO entries (recipient, message_id) SELECT * FROM unnest($4::text[], $5::bigint[])`,
    values: [
      batch.map(({ id }) => id),
      batch.map(({ from }) => from),
      batch.map(({ text }) => text),
      batch.flatMap(({ to }) => to),
      batch.flatMap(({ id, to }) => to.map(() => id)),
    ],
  });
}

function readBody(req: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => resolve(Buffer.concat(chunks).toString()));
    req.on('error', reject);
  });
}

listen(createServer(app));
