/**
 * Tells when the network may be another or back, or the machine awake: nothing is to be waited for any longer. Only
 * browsers say so. Returns what ends it.
 */
export function onWakeUp(wake: () => void): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => undefined;
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') wake();
  };
  window.addEventListener('online', wake);
  window.addEventListener('pageshow', wake);
  document.addEventListener('visibilitychange', onVisible);
  document.addEventListener('resume', wake);
  return () => {
    window.removeEventListener('online', wake);
    window.removeEventListener('pageshow', wake);
    document.removeEventListener('visibilitychange', onVisible);
    document.removeEventListener('resume', wake);
  };
}
