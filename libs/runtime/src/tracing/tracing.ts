/** What a span is about. Values are ids and numbers: never anything that people wrote. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** Something that was done, with its times. */
export interface DoneSpan {
  readonly name: string;
  readonly kind: 'internal' | 'producer' | 'consumer';
  /** The `traceparent` of what it is a part of (W3C Trace Context). */
  readonly parent: string;
  /** Unix time, ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
}

/** A span of a request that is being served. */
export interface OpenSpan {
  /** Its `traceparent`, for what follows from it; undefined where it is not sampled. */
  readonly context: string | undefined;
  end(attributes: SpanAttributes, isError: boolean): void;
}

/** Records spans. Nothing waits for them, and what cannot be exported is dropped. */
export interface Tracing {
  /** Begins the span of a request. A `parent` that is no traceparent begins a trace of its own. */
  begin(name: string, parent: string | undefined): OpenSpan;
  /** Records what is done; returns its `traceparent`. */
  record(span: DoneSpan): string;
  /** Exports what is left. */
  close(): Promise<void>;
}
