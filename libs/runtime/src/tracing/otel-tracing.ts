import {
  type Context,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import type { DoneSpan, OpenSpan, SpanAttributes, Tracing } from './tracing';

const KINDS = { internal: SpanKind.INTERNAL, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER };

/**
 * Spans by OpenTelemetry. Its own variables configure the endpoint, sampling and headers (`OTEL_EXPORTER_OTLP_…`,
 * `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_RESOURCE_ATTRIBUTES`). At most `OTEL_BSP_MAX_QUEUE_SIZE` spans (2,048 by
 * default) wait for export; further spans are dropped.
 */
export class OtelTracing implements Tracing {
  readonly #provider: NodeTracerProvider;
  readonly #tracer: Tracer;
  readonly #onFault: (reason: string) => void;

  constructor(service: string, onFault: (reason: string) => void) {
    this.#onFault = onFault;
    const ignore = (): void => undefined;
    diag.setLogger(
      { error: onFault, warn: onFault, info: ignore, debug: ignore, verbose: ignore },
      DiagLogLevel.WARN,
    );
    this.#provider = new NodeTracerProvider({
      // Later resources win: the environment over our service name, and that over the library's default.
      resource: defaultResource()
        .merge(resourceFromAttributes({ 'service.name': service }))
        .merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    this.#tracer = this.#provider.getTracer('posthorn');
  }

  begin(name: string, parent: string | undefined): OpenSpan {
    const span = this.#tracer.startSpan(name, { kind: SpanKind.SERVER }, contextOf(parent));
    return {
      context: span.isRecording() ? traceparentOf(span) : undefined,
      end: (attributes: SpanAttributes, isError: boolean) => {
        span.setAttributes(attributes);
        if (isError) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  record({ name, kind, parent, startMs, endMs, attributes }: DoneSpan): string {
    const span = this.#tracer.startSpan(
      name,
      { kind: KINDS[kind], startTime: startMs, attributes: { ...attributes } },
      contextOf(parent),
    );
    span.end(endMs);
    return traceparentOf(span);
  }

  async close(): Promise<void> {
    try {
      await this.#provider.shutdown();
    } catch (error) {
      // An unreachable collector must not fail the stop.
      this.#onFault(error instanceof Error ? error.message : String(error));
    }
  }
}

function contextOf(parent: string | undefined): Context {
  const span = parent === undefined ? null : parseTraceParent(parent);
  return span === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...span, isRemote: true });
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
