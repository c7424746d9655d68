/** What the page knows of the stack that serves it. */
export interface Stack {
  api: string;
  /** Alice is on the first, bob on the last. */
  gateways: string[];
  /** What the page may do to it. */
  can: { kill: boolean; wipe: boolean };
}

/** Other pages cannot send this header here without being asked first, and are refused then. */
const HEADERS = { 'X-Posthorn-Demo': '1' };

export async function readStack(): Promise<Stack> {
  const response = await fetch('stack.json', { headers: HEADERS });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as Stack;
}

/** A token of the local stack. @throws when the stack is away */
export async function readToken(user: string): Promise<string> {
  const response = await fetch(`tokens/${user}`, { headers: HEADERS });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return await response.text();
}

/** Kills a gateway with SIGKILL; it is started again at once. */
export async function killGateway(index: number): Promise<void> {
  await post(`gateways/${index}/kill`);
}

/** Deletes everything that Redis knows. */
export async function wipeRedis(): Promise<void> {
  await post('redis/wipe');
}

async function post(path: string): Promise<void> {
  const response = await fetch(path, { method: 'POST', headers: HEADERS });
  if (!response.ok) throw new Error(await response.text());
}
