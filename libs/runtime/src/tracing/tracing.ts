/** The attributes of a span: ids and numbers, never anything that people wrote. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** A finished piece of work, with its times. */
export interface DoneSpan {
  readonly name: string;
  readonly kind: 'internal' | 'producer' | 'consumer';
  /** The `traceparent` of its parent (W3C Trace Context). */
  readonly parent: string;
  /** Unix time, ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
}

/** The span of a request that is being served. */
export interface OpenSpan {
  /** Its `traceparent`, for later spans; undefined if it is not sampled. */
  readonly context: string | undefined;
  end(attributes: SpanAttributes, isError: boolean): void;
}

/** Records spans. Nothing waits for them, and spans that cannot be exported are dropped. */
export interface Tracing {
  /** Begins the span of a request. Without a valid `parent` it begins a new trace. */
  begin(name: string, parent: string | undefined): OpenSpan;
  /** Records finished work and returns its `traceparent`. */
  record(span: DoneSpan): string;
  /** Exports the spans that are left. */
  close(): Promise<void>;
}
