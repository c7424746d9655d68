import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type GatewaySettings, Problem, problem, problemResponse, requestIdFrom } from '@posthorn/runtime';
import type { GatewayMetrics } from '../metrics';
import { type Connect, type ConnectContext, connectSteps, settleTakeover } from './connect-steps';

/**
 * Takes an upgrade request through the connect steps. It has its own time limit, `UPGRADE_TIMEOUT_MS`, because the
 * limits of Node end with the upgrade event. A refusal gets an HTTP answer (PROTOCOL §5.1).
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
    // This also withdraws the presence that was announced.
    connect.session?.end();
  };
  // Without a listener, a reset while the token is being verified would end the process.
  socket.on('error', giveUp);
  socket.on('close', giveUp);
  const refuse = (answer: Problem): void => {
    context.metrics.upgrades.inc({ status: String(answer.status) });
    giveUp();
    if (socket.writable) socket.end(problemResponse(answer, requestId), () => socket.destroy());
    else socket.destroy();
  };
  const timer = setTimeout(
    () => refuse(problem('unavailable', { detail: 'The connection was not ready in time. Try again.' })),
    context.settings.upgradeTimeoutMs,
  );

  try {
    for (const step of connectSteps) {
      await step(connect, context);
      if (connect.isOver) return;
    }
    clearTimeout(timer);
    // The WebSocket reports both from here on. These listeners would keep the request in memory.
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

/** Undoes the claim of a connection that was never opened: the device goes back to its previous gateway. */
function releaseUnopened({ session, claimed }: Connect, { releaser, gateway }: ConnectContext): void {
  if (session === undefined || session.fence !== null || claimed === undefined) return;
  const { user, device } = session;
  const { fence, epoch, previousGateway } = claimed;
  releaser.release({ user, device, fence, epoch, gateway, undo: { previousGateway } });
}
