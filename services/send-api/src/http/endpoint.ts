import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request as Express' router gives it to a route: Node's, with what it found in the path. */
export interface Routed extends IncomingMessage {
  readonly params: Readonly<Record<string, string | string[]>>;
}

/** Handles one request; what it throws is answered as a problem. */
export type Handle = (req: Routed, res: ServerResponse) => Promise<void> | void;

/** One method on one path. The app mounts endpoints, and the reference describes them. */
export interface Endpoint {
  readonly method: 'get' | 'post';
  /** As Express writes it: `/v1/messages/:id`. */
  readonly path: string;
  readonly handle: Handle;
}
