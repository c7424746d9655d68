import type { Message, ReceiptItem } from '@posthorn/protocol';

/** Sends as the token's user. Returns the message of the 201. Throws with the service's answer on any other status. */
export async function sendMessage(apiUrl: string, token: string, to: string, text: string): Promise<Message> {
  return ask<Message>(`${apiUrl}/v1/messages`, 201, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ to: [to], text }),
  });
}

/** Who has a message, as its sender sees it. */
export async function findReceipts(apiUrl: string, token: string, id: string): Promise<ReceiptItem[]> {
  const url = `${apiUrl}/v1/messages/${id}/receipts`;
  const { items } = await ask<{ items: ReceiptItem[] }>(url, 200, {
    headers: { authorization: `Bearer ${token}` },
  });
  return items;
}

async function ask<T>(url: string, status: number, init: RequestInit): Promise<T> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  const body = await response.text();
  if (response.status !== status) throw new Error(`${url} answered ${response.status}: ${body}`);
  const value: T = JSON.parse(body);
  return value;
}
