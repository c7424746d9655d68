import {
  type AdminRequest,
  type AdminResponse,
  type AdminRoute,
  answerOfError,
  routeFor,
} from '../admin/admin-routes';
import { requestIdFrom } from '../http/request-id';
import type { Logger } from '../log/logger';
import type { AdminTransport } from '../process/start-service';
import { isPrimaryMessage, type RouteName, type WorkerMessage } from './worker-messages';

/** A worker's side of the channel to its primary. It answers admin requests and receives the order to stop. */
export class WorkerLink implements AdminTransport {
  readonly #log: Logger;
  #routes: readonly AdminRoute[];

  constructor(routes: readonly AdminRoute[], log: Logger, onStop: () => void) {
    this.#routes = routes;
    this.#log = log;
    process.on('message', (message) => {
      if (!isPrimaryMessage(message)) {
        return;
      }
      if (message.posthorn === 'stop') {
        onStop();
      } else {
        void this.#answer(message.id, message.request);
      }
    });
  }

  addRoutes(routes: readonly AdminRoute[]): void {
    this.#routes = [...this.#routes, ...routes];
  }

  /** Reports to the primary that this worker listens, and which routes it serves besides the common ones. */
  started(port: number, routes: readonly AdminRoute[]): void {
    const names: RouteName[] = routes.map(({ method, path }) => ({ method, path }));
    send({ posthorn: 'started', port, routes: names });
  }

  /** The channel ends with the process. */
  async close(): Promise<void> {}

  async #answer(id: number, request: AdminRequest): Promise<void> {
    const answer = await this.#handle(request).catch((error: unknown) =>
      answerOfError(error, this.#log, requestIdFrom(undefined)),
    );
    send({ posthorn: 'answer', id, answer });
  }

  async #handle(request: AdminRequest): Promise<AdminResponse> {
    const { route, params } = routeFor(this.#routes, request.method, request.path);
    return await route.handle({ ...request, params });
  }
}

function send(message: WorkerMessage): void {
  // If the primary is gone, this process ends anyway and nobody is left to inform.
  if (process.connected) {
    process.send?.(message, undefined, {}, () => undefined);
  }
}
