import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@posthorn/testing';
import { readHistory } from './read-history';
import { HistoryRecorder } from './recorder';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-history-'));
  path = join(folder, 'history.jsonl');
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('a recorded history', () => {
  it('is numbered and timed, and comes back from its file as it was', async () => {
    const recorder = new HistoryRecorder(path);
    for (let seq = 1; seq <= 2_500; seq++)
      recorder.record('bob/d1#1', { type: 'invoke', f: 'ack', v: { seq } });
    recorder.record('harness', { type: 'info', f: 'phase', v: { name: 'over' } });
    await recorder.close();
    expect(recorder.events).toHaveLength(2_501);
    expect(recorder.events[2_500]).toMatchObject({ i: 2_500, p: 'harness', f: 'phase', v: { name: 'over' } });
    const times = recorder.events.map(({ t }) => t);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(readHistory(path)).toEqual(recorder.events);
  });

  it('is on the disk soon, also while the run goes on', async () => {
    const recorder = new HistoryRecorder(path);
    recorder.record('harness', { type: 'info', f: 'phase', v: { name: 'warm-up' } });
    await eventually('it is there', () => existsSync(path) && readHistory(path).length > 0);
    expect(readHistory(path)).toEqual(recorder.events);
    await recorder.close();
  });

  it('says when it could not be written', async () => {
    const recorder = new HistoryRecorder(join(folder, 'missing', 'history.jsonl'));
    recorder.record('harness', { type: 'info', f: 'phase', v: { name: 'over' } });
    await expect(recorder.close()).rejects.toThrow('ENOENT');
  });
});

describe('reading a history', () => {
  const line = JSON.stringify({ i: 0, t: 1, p: 'harness', type: 'info', f: 'phase', v: { name: 'over' } });

  it('leaves out a last line that was cut off', () => {
    writeFileSync(path, `${line}\n${line.slice(0, 20)}`);
    expect(readHistory(path)).toHaveLength(1);
  });

  it('names a line that is no event', () => {
    writeFileSync(path, `${line}\n{"i":1}\n`);
    appendFileSync(path, readFileSync(path));
    expect(() => readHistory(path)).toThrow(`${path}: line 2 is no event of a history`);
  });
});
