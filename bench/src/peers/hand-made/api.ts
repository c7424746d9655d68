/** The HTTP half of the hand-made pair: what a team writes in a week with Express, pg, ioredis and jose. */
import { createServer } from 'node:http';
import express from 'express';
import Redis from 'ioredis';
import { jwtVerify } from 'jose';
import { Pool } from 'pg';
import { v7 as uuid } from 'uuid';
import { listen, peerSettings } from '../peer-process';

const { databaseUrl, redisUrl, secret } = peerSettings(process.env);
const pool = new Pool({ connectionString: databaseUrl, max: 20 });
const redis = new Redis(redisUrl);
const app = express();

app.use(express.json());

app.use(async (req, res, next) => {
  try {
    const [, token = ''] = (req.headers.authorization ?? '').split(' ');
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    res.locals['user'] = payload.sub;
    next();
  } catch {
    res.status(401).json({ error: 'a valid token is needed' });
  }
});

app.post('/messages', async (req, res) => {
  const { to, text } = req.body as { to?: unknown; text?: unknown };
  if (!Array.isArray(to) || to.length === 0 || typeof text !== 'string' || text === '') {
    res.status(422).json({ error: 'to and text are needed' });
    return;
  }
  const from = String(res.locals['user']);
  const messages = to.map((recipient) => ({ id: uuid(), recipient: String(recipient), from, text }));
  await Promise.all(messages.map(store));
  await Promise.all(messages.map(deliver));
  res.status(201).json({ ids: messages.map(({ id }) => id), from, to, text });
});

interface Message {
  id: string;
  from: string;
  recipient: string;
  text: string;
}

async function store({ id, from, recipient, text }: Message): Promise<void> {
  await pool.query('INSERT INTO messages (id, sender, recipient, text) VALUES ($1, $2, $3, $4)', [
    id,
    from,
    recipient,
    text,
  ]);
}

/** Sends to the gateway that holds the recipient, otherwise appends to a list for later. */
async function deliver(message: Message): Promise<void> {
  const json = JSON.stringify({ type: 'message', ...message });
  const gateway = await redis.get(`presence:${message.recipient}`);
  if (gateway === null) await redis.rpush(`offline:${message.recipient}`, json);
  else await redis.publish(`gateway:${gateway}`, json);
}

listen(createServer(app));
