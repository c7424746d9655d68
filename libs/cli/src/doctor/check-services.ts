import { type Finding, fault, ok, wordsOf } from './finding.ts';

const WAIT_MS = 5_000;

/** Checks send-api at its public address. */
export async function checkSendApi(url: string): Promise<Finding> {
  return await checkAddress(
    'send-api',
    `${url.replace(/\/+$/, '')}/openapi.json`,
    200,
    '--api or POSTHORN_API',
  );
}

/** Checks a gateway at its public address: a request that is not a WebSocket gets 426. */
export async function checkGateway(url: string): Promise<Finding> {
  const address = url.replace(/^ws/, 'http').replace(/(\/v1\/connect)?\/*$/, '/v1/connect');
  return await checkAddress('ws-gateway', address, 426, '--gateway or POSTHORN_GATEWAY');
}

async function checkAddress(
  check: string,
  address: string,
  status: number,
  setting: string,
): Promise<Finding> {
  const remedy = `Check ${setting}, whether ${check} runs and is ready (GET /readyz on its admin port), and the balancer in front of it.`;
  try {
    const startedAt = performance.now();
    const response = await fetch(address, { signal: AbortSignal.timeout(WAIT_MS) });
    await response.arrayBuffer();
    const tookMs = performance.now() - startedAt;
    if (response.status === status) return ok(check, `answers at ${address} in ${tookMs.toFixed(0)} ms`);
    return fault(check, `${address} answers ${response.status} instead of ${status}`, remedy);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return fault(check, `${address}: ${wordsOf(cause)}`, remedy);
  }
}
