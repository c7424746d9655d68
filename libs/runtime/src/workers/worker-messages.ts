import type { AdminRequest, AdminResponse } from '../admin/admin-routes';

/** A route that a worker serves for its primary. */
export interface RouteName {
  readonly method: 'GET' | 'POST';
  readonly path: string;
}

/** Primary → worker. */
export type PrimaryMessage =
  | { readonly posthorn: 'stop' }
  | { readonly posthorn: 'request'; readonly id: number; readonly request: AdminRequest };

/** Worker → primary. */
export type WorkerMessage =
  | { readonly posthorn: 'started'; readonly port: number; readonly routes: readonly RouteName[] }
  | { readonly posthorn: 'answer'; readonly id: number; readonly answer: AdminResponse };

// Both ends run the same version of this package, so checking the kind is enough. Other libraries use the channel
// too.

export function isPrimaryMessage(message: unknown): message is PrimaryMessage {
  return hasKind(message, ['stop', 'request']);
}

export function isWorkerMessage(message: unknown): message is WorkerMessage {
  return hasKind(message, ['started', 'answer']);
}

function hasKind(message: unknown, kinds: readonly string[]): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'posthorn' in message &&
    typeof message.posthorn === 'string' &&
    kinds.includes(message.posthorn)
  );
}
