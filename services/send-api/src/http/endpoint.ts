import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request of Node, with the path parameters that Express' router adds. */
export interface Routed extends IncomingMessage {
  readonly params: Readonly<Record<string, string | string[]>>;
}

/** Handles one request. An error that it throws is answered as a problem. */
export type Handle = (req: Routed, res: ServerResponse) => Promise<void> | void;

/** One method on one path. */
export interface Endpoint {
  readonly method: 'get' | 'post';
  /** In Express' notation: `/v1/messages/:id`. */
  readonly path: string;
  readonly handle: Handle;
}
