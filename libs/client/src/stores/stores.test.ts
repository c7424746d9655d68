import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileStore } from './file-store.ts';
import { memoryStore } from './memory-store.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-store-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each([
  ['memoryStore', () => memoryStore()],
  ['fileStore', () => fileStore(join(folder, 'not', 'there'))],
])('%s', (_, open) => {
  it('gives back what was set, by its name', async () => {
    const store = open();
    expect(await store.get('cursor')).toBeUndefined();
    expect(await store.keys('')).toEqual([]);
    await store.set('outbox/2-ä*?:', { text: '\u{1f4ef}', n: [1, null] });
    await store.set('outbox/1', 'first');
    await store.set('read/1', true);
    expect(await store.keys('outbox/')).toEqual(['outbox/1', 'outbox/2-ä*?:']);
    expect(await store.get('outbox/2-ä*?:')).toEqual({ text: '\u{1f4ef}', n: [1, null] });
    await store.delete('outbox/1');
    await store.delete('outbox/1');
    expect(await store.get('outbox/1')).toBeUndefined();
  });

  it('keeps the last of many writes at once, and not what the caller changes later', async () => {
    const store = open();
    const value = { seq: 0 };
    const writes: unknown[] = [];
    for (let seq = 1; seq <= 50; seq++) {
      value.seq = seq;
      writes.push(store.set('cursor', value));
    }
    await Promise.all(writes);
    value.seq = -1;
    expect(await store.get('cursor')).toEqual({ seq: 50 });
  });
});

describe('fileStore', () => {
  it('is there for the next process, and leaves no half-written file behind', async () => {
    await fileStore(folder).set('cursor', { epoch: null, seq: 7 });
    expect(await fileStore(folder).get('cursor')).toEqual({ epoch: null, seq: 7 });
    expect(readdirSync(folder)).toEqual(['cursor.json']);
  });
});
