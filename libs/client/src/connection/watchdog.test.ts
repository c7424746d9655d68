import { Watchdog } from './watchdog.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function watched(heartbeatMs: number): { watchdog: Watchdog; told: string[] } {
  const told: string[] = [];
  const watchdog = new Watchdog(heartbeatMs, {
    ping: () => void told.push('ping'),
    onSilence: () => void told.push('silence'),
  });
  return { watchdog, told };
}

describe('Watchdog', () => {
  it('§5.6: asks after a heartbeat of silence, gives up after one and a half, and says so once', () => {
    const { told } = watched(1_000);
    jest.advanceTimersByTime(999);
    expect(told).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(told).toEqual(['ping']);
    jest.advanceTimersByTime(10_000);
    expect(told).toEqual(['ping', 'silence']);
  });

  it('§5.6: goes on where anything is heard', () => {
    const { watchdog, told } = watched(1_000);
    for (let n = 0; n < 20; n++) {
      jest.advanceTimersByTime(900);
      watchdog.heard();
    }
    expect(told).toEqual([]);
    watchdog.stop();
  });

  it('after a sleep asks first, and soon knows', () => {
    const { watchdog, told } = watched(25_000);
    jest.setSystemTime(Date.now() + 3_600_000);
    watchdog.probe();
    expect(told).toEqual(['ping']);
    jest.advanceTimersByTime(4_999);
    expect(told).toEqual(['ping']);
    jest.advanceTimersByTime(10);
    expect(told).toEqual(['ping', 'silence']);
  });
});
