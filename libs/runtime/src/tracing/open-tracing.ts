import type { Tracing } from './tracing';

/** Tracing to this OTLP endpoint; null without one, and then no code of OpenTelemetry is loaded. */
export async function openTracing(
  service: string,
  endpoint: string | undefined,
  onFault: (reason: string) => void,
): Promise<Tracing | null> {
  if (endpoint === undefined) return null;
  const { OtelTracing } = await import('./otel-tracing.js');
  return new OtelTracing(service, onFault);
}
