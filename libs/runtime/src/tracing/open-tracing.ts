import type { Tracing } from './tracing';

/** Opens tracing to this OTLP endpoint. Without an endpoint it returns null and loads no code of OpenTelemetry. */
export async function openTracing(
  service: string,
  endpoint: string | undefined,
  onFault: (reason: string) => void,
): Promise<Tracing | null> {
  if (endpoint === undefined) return null;
  const { OtelTracing } = await import('./otel-tracing.js');
  return new OtelTracing(service, onFault);
}
