/**
 * Of all tabs of an origin one at a time has the lock; it goes to the next when that tab is closed. Where the browser
 * has no Web Locks (outside of a secure context) everybody gets it: the gateway then lets the newest connection live.
 */
export async function webLock(name: string, signal: AbortSignal): Promise<() => void> {
  if (typeof navigator === 'undefined' || !('locks' in navigator)) return () => undefined;
  return await new Promise((resolve, reject) => {
    const held = (): Promise<void> => new Promise((release) => resolve(release));
    navigator.locks.request(name, { signal }, held).catch(reject);
  });
}
