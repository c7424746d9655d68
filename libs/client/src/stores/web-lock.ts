/**
 * A lock that one tab of an origin holds at a time. The next tab gets it when that tab is closed. Without Web Locks
 * (outside of a secure context) every tab gets it; the gateway then keeps only the newest connection.
 */
export async function webLock(name: string, signal: AbortSignal): Promise<() => void> {
  if (typeof navigator === 'undefined' || !('locks' in navigator)) return () => undefined;
  return await new Promise((resolve, reject) => {
    const held = (): Promise<void> => new Promise((release) => resolve(release));
    navigator.locks.request(name, { signal }, held).catch(reject);
  });
}
