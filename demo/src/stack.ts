/** What the page knows about the stack that serves it. */
export interface Stack {
  api: string;
  /** Alice uses the first gateway, bob the last. */
  gateways: string[];
  /** What the page may do to the stack. */
  can: { kill: boolean; wipe: boolean };
}

/** Another page cannot send this header here without a preflight request, and that is refused. */
const HEADERS = { 'X-Posthorn-Demo': '1' };

export async function readStack(): Promise<Stack> {
  const response = await fetch('stack.json', { headers: HEADERS });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as Stack;
}

/** A token of the local stack. @throws when the stack does not answer */
export async function readToken(user: string): Promise<string> {
  const response = await fetch(`tokens/${user}`, { headers: HEADERS });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return await response.text();
}

/** Kills a gateway with SIGKILL. It is started again at once. */
export async function killGateway(index: number): Promise<void> {
  await post(`gateways/${index}/kill`);
}

/** Deletes everything in Redis. */
export async function wipeRedis(): Promise<void> {
  await post('redis/wipe');
}

async function post(path: string): Promise<void> {
  const response = await fetch(path, { method: 'POST', headers: HEADERS });
  if (!response.ok) throw new Error(await response.text());
}
