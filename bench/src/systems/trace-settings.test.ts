import { traceSettings } from './trace-settings';

it('hands on what OpenTelemetry reads, and nothing else', () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    DATABASE_URL: 'postgres://u:p@h/d',
    NOT_OTEL_: 'x',
    OTEL_UNSET: undefined,
  };
  expect(traceSettings(env)).toEqual({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
  });
});
