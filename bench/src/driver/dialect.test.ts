import { dialects } from './dialect';
import { messageText, readMessageText } from './message-text';

describe('a device', () => {
  it('reads the message out of the frame of every system', () => {
    const text = messageText(3, 12_345);
    expect(text).toHaveLength(256);
    const frames = {
      posthorn: `{"type":"message","seq":17,"message":{"id":"x","from":"s1","text":"${text}"}}`,
      'hand-made': `{"type":"message","id":"x","from":"s1","text":"${text}"}`,
      'socket.io': `42["message",{"id":"x","from":"s1","text":"${text}"}]`,
      floor: `{"type":"message","id":1,"from":"s1","text":"${text}"}`,
    };
    const marks = Object.entries(frames).map(([name, frame]) => {
      expect(readMessageText(frame)).toEqual({ phase: 3, number: 12_345 });
      return dialects[name as keyof typeof frames].hear(frame);
    });
    expect(marks).toEqual([
      { kind: 'message', mark: 17 },
      { kind: 'message', mark: 'x' },
      { kind: 'message', mark: 'x' },
      { kind: 'message', mark: 0 },
    ]);
  });

  it('acknowledges by the newest seq, or id by id', () => {
    expect(dialects.posthorn.acks([1, 2, 9])).toEqual(['{"type":"ack","seq":9}']);
    expect(dialects['hand-made'].acks(['a', 'b'])).toEqual([
      '{"type":"ack","id":"a"}',
      '{"type":"ack","id":"b"}',
    ]);
  });
});
