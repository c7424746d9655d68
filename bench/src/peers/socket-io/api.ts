/** The HTTP half of the Socket.IO app. It stores a message and then emits it to its recipients' rooms. */
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import express from 'express';
import Redis from 'ioredis';
import { jwtVerify } from 'jose';
import { Pool } from 'pg';
import { Server } from 'socket.io';
import { v7 as uuid } from 'uuid';
import { listen, peerSettings } from '../peer-process';

const { databaseUrl, redisUrl, secret } = peerSettings(process.env);
const pool = new Pool({ connectionString: databaseUrl, max: 20 });
const redis = new Redis(redisUrl);
const io = new Server({ adapter: createAdapter(redis, redis.duplicate()) });
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
  const message = { id: uuid(), from: String(res.locals['user']), text };
  await pool.query('INSERT INTO messages (id, sender, recipients, text) VALUES ($1, $2, $3, $4)', [
    message.id,
    message.from,
    to,
    text,
  ]);
  io.to(to.map(String)).emit('message', message);
  res.status(201).json({ ...message, to });
});

listen(createServer(app));
