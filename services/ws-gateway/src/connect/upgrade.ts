import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type GatewaySettings, Problem, problem, problemResponse, requestIdFrom } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import { type Connect, type ConnectContext, connectSteps, settleTakeover } from './connect-steps';

/**
 * Takes an upgrade request through the connect steps, within a time of its own: Node's end with the upgrade event.
 * Whatever refuses it is answered with real HTTP.
 */
export async function handleUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  context: ConnectContext & { settings: GatewaySettings; metrics: GatewayMetrics },
): Promise<void> {
  const requestId = requestIdFrom(request.headersDistinct['x-request-id']);
  const connect: Connect = { request, socket, head, isOver: false };

  const giveUp = (): void => {
    connect.isOver = true;
    // Nothing of ours may go on for a peer that is gone: the presence that was announced is taken back.
    connect.session?.end();
  };
  // A reset while the token is being verified would end the process without a listener.
  socket.on('error', giveUp);
  socket.on('close', giveUp);
  const refuse = (answer: Problem): void => {
    context.metrics.upgrades.inc({ status: String(answer.status) });
    giveUp();
    if (socket.writable) socket.end(problemResponse(answer, requestId), () => socket.destroy());
    else socket.destroy();
  };
  const timer = setTimeout(
    () => refuse(problem('unavailable', { detail: 'the connection was not ready in time' })),
    context.settings.upgradeTimeoutMs,
  );

  try {
    for (const step of connectSteps) {
      await step(connect, context);
      if (connect.isOver) return;
    }
    clearTimeout(timer);
    // From here on the WebSocket tells of both; these would keep the request as long as the connection.
    socket.off('error', giveUp).off('close', giveUp);
    context.metrics.upgrades.inc({ status: '101' });
    if (connect.session !== undefined) context.reconciler.opened(connect.session);
    await settleTakeover(connect, context);
  } catch (error) {
    if (connect.isOver) return;
    if (!(error instanceof Problem) || error.status >= 500) {
      context.log.log(error instanceof Problem ? 'warn' : 'error', 'upgrade failed', { requestId, error });
    }
    refuse(error instanceof Problem ? error : problem('internal'));
  } finally {
    clearTimeout(timer);
    if (connect.isOver) releaseUnopened(connect, context);
  }
}

/** A device that was claimed for a connection that never came to be is held by whoever held it before. */
function releaseUnopened({ session, claimed }: Connect, { releaser, gateway }: ConnectContext): void {
  if (session === undefined || session.fence !== null || claimed === undefined) return;
  const { user, device } = session;
  const { fence, epoch, previousGateway } = claimed;
  releaser.release({ user, device, fence, epoch, gateway, undo: { previousGateway } });
}
