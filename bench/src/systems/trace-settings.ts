/** What OpenTelemetry reads, so that the bench can show what traces cost (docs/DEPLOY.md). */
export function traceSettings(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[0].startsWith('OTEL_') && entry[1] !== undefined,
    ),
  );
}
