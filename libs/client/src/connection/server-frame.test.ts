import { parseServerFrame } from './server-frame.ts';

describe('parseServerFrame', () => {
  it('§1.3: ignores what it does not know, and keeps fields it does not know', () => {
    for (const text of [
      '',
      'null',
      '[]',
      '1',
      '{"type":"confetti"}',
      '{"type":"toString"}',
      '{',
      new ArrayBuffer(2),
    ]) {
      expect(parseServerFrame(text)).toBeUndefined();
    }
    expect(parseServerFrame('{"type":"pong","colour":"red"}')).toEqual({ type: 'pong', colour: 'red' });
  });

  it('§5.2: ignores a frame that lacks what it is for', () => {
    expect(parseServerFrame('{"type":"message","seq":"1","message":{}}')).toBeUndefined();
    expect(parseServerFrame('{"type":"message","seq":1,"message":null}')).toBeUndefined();
    expect(parseServerFrame('{"type":"message","seq":1,"message":{}}')).toMatchObject({ seq: 1 });
  });
});
