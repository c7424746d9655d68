import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { eventually } from '@posthorn/testing';
import { WriteProgress } from './write-progress';

describe('WriteProgress', () => {
  let server: Server;
  let writer: Socket;
  let reader: Socket;
  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const accepted = once(server, 'connection');
    reader = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
    [writer] = (await accepted) as [Socket];
  });
  afterEach(() => {
    reader.destroy();
    writer.destroy();
    server.close();
  });

  it('§5: rises while one large write leaves bit by bit, and only then', async () => {
    reader.pause();
    const progress = new WriteProgress(writer);
    writer.write(Buffer.alloc(64 * 1_048_576));
    const startedAt = progress.measure();
    // Until the kernel takes no more.
    let before = startedAt;
    let stillFor = 0;
    await eventually('full', () => {
      const now = progress.measure();
      stillFor = now === before ? stillFor + 1 : 0;
      before = now;
      return stillFor === 30;
    });
    expect(progress.measure()).toBe(before);

    let read = 0;
    reader.on('data', (bytes) => {
      read += bytes.length;
      if (read > 16 * 1_048_576) reader.pause();
    });
    reader.resume();
    await eventually('progress', () => progress.measure() > before);
    // The stream itself has not noticed.
    expect(writer.writableLength).toBe(64 * 1_048_576);
  });
});
