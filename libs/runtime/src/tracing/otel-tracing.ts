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
 * Spans by OpenTelemetry. Its own variables say where to, how many and with what headers (`OTEL_EXPORTER_OTLP_…`,
 * `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`, `OTEL_RESOURCE_ATTRIBUTES`). What waits is bounded (2,048 spans unless
 * `OTEL_BSP_MAX_QUEUE_SIZE` says otherwise): beyond it spans are dropped.
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
      // The later counts: what the environment says of this process, over its own name, over that of the library.
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
      // A collector that is away is no fault of this stop.
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
