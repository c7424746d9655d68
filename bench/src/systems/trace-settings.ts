/** The settings of OpenTelemetry, so that the bench can measure the cost of traces (docs/DEPLOY.md). */
export function traceSettings(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[0].startsWith('OTEL_') && entry[1] !== undefined,
    ),
  );
}
