/** The WebSocket half of the Socket.IO app: each user has a room. */
import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import Redis from 'ioredis';
import { jwtVerify } from 'jose';
import { Server, type Socket } from 'socket.io';
import { listen, peerSettings } from '../peer-process';

const { redisUrl, secret } = peerSettings(process.env);
const redis = new Redis(redisUrl);
const server = createServer();
const io = new Server(server, {
  adapter: createAdapter(redis, redis.duplicate()),
  transports: ['websocket'],
  serveClient: false,
});

io.use((socket, next) => void authenticate(socket, next));

/** The room of a user has the user's name. */
async function authenticate(socket: Socket, next: (error?: Error) => void): Promise<void> {
  try {
    const token = String(socket.handshake.auth['token']);
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    await socket.join(String(payload.sub));
    next();
  } catch {
    next(new Error('a valid token is needed'));
  }
}

listen(server);
