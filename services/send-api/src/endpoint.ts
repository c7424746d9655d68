import type { Request, Response } from 'express';

/** Handles one request; what it throws, the problem handler answers. */
export type Handle = (req: Request, res: Response) => Promise<void> | void;

/** One method on one path. The app mounts endpoints, and the reference describes them. */
export interface Endpoint {
  readonly method: 'get' | 'post';
  /** As Express writes it: `/v1/messages/:id`. */
  readonly path: string;
  readonly handle: Handle;
}
