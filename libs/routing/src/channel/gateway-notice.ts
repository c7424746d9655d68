import { findDataFault, isJsonObject, isUserId, type Message, type ReceiptNews } from '@posthorn/protocol';
import type { EntriesItem, ListedEntry } from './envelope';

/** What one process tells a gateway over its channel. */
export type GatewayNotice =
  | { type: 'entries'; items: EntriesItem[] }
  | { type: 'receipts'; news: ReceiptNews[] }
  /** Another gateway has a newer connection of the device. Those with a lower fencing token of the same epoch end. */
  | { type: 'takeover'; user: string; device: string; fence: number; epoch: string }
  /** An operator ends the connections of a device, or all connections of the user if `device` is absent. */
  | { type: 'disconnect'; user: string; device?: string }
  /** The user has too many connections on all gateways together, so this one ends. */
  | { type: 'surplus'; user: string; device: string }
  /** An operator asks for `limit` connections after the first `after`. `id` names the answer. */
  | { type: 'inspect'; id: string; after: number; limit: number }
  | { type: 'probe'; nonce: string };

/** Parses a notice; null for anything that is not a valid one. */
export function parseGatewayNotice(text: string): GatewayNotice | null {
  const value = parseJson(text);
  if (!isFields(value)) return null;
  switch (value['type']) {
    case 'entries':
      return isArrayOf(value['items'], isEntriesItem) ? { type: 'entries', items: value['items'] } : null;
    case 'receipts':
      return isArrayOf(value['news'], isReceiptNews) ? { type: 'receipts', news: value['news'] } : null;
    case 'takeover': {
      const { user, device, fence, epoch } = value;
      if (typeof user !== 'string' || typeof device !== 'string') return null;
      if (!isPosition(fence) || typeof epoch !== 'string') return null;
      return { type: 'takeover', user, device, fence, epoch };
    }
    case 'disconnect': {
      const { user, device } = value;
      if (typeof user !== 'string') return null;
      if (device === undefined) return { type: 'disconnect', user };
      return typeof device === 'string' ? { type: 'disconnect', user, device } : null;
    }
    case 'surplus': {
      const { user, device } = value;
      if (typeof user !== 'string' || typeof device !== 'string') return null;
      return { type: 'surplus', user, device };
    }
    case 'inspect': {
      const { id, after, limit } = value;
      if (typeof id !== 'string' || !INSPECTION_ID.test(id)) return null;
      if (!isCount(after) || !isCount(limit) || limit > MAX_INSPECTED) return null;
      return { type: 'inspect', id, after, limit };
    }
    case 'probe':
      return typeof value['nonce'] === 'string' ? { type: 'probe', nonce: value['nonce'] } : null;
    default:
      return null;
  }
}

/** Parses an entry of an offline list; null for anything that is not a valid one. */
export function parseListedEntry(text: string): ListedEntry | null {
  const value = parseJson(text);
  if (!isFields(value) || !isPosition(value['seq']) || typeof value['epoch'] !== 'string') return null;
  const { seq, epoch, message, trace } = value;
  if (trace !== undefined && typeof trace !== 'string') return null;
  const traced = trace === undefined ? {} : { trace };
  if (message === undefined) return { seq, epoch, ...traced };
  return isMessage(message) ? { seq, epoch, message, ...traced } : null;
}

const INSPECTION_ID = /^[0-9a-f]{32}$/;
/** How many connections a gateway reports in one answer, at most. */
export const MAX_INSPECTED = 500;

type Fields = Readonly<Record<string, unknown>>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not JSON: the caller counts it
  }
}

function isFields(value: unknown): value is Fields {
  return isJsonObject(value);
}

function isArrayOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isPosition(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * Also checks that it has a valid time, and that it can be encoded again: parsing accepts deeper nesting than encoding.
 */
function isMessage(value: unknown): value is Message {
  return (
    isFields(value) &&
    typeof value['id'] === 'string' &&
    typeof value['from'] === 'string' &&
    typeof value['createdAt'] === 'string' &&
    !Number.isNaN(Date.parse(value['createdAt'])) &&
    (value['to'] === undefined || isArrayOf(value['to'], isUserId)) &&
    (value['text'] === undefined || typeof value['text'] === 'string') &&
    (value['data'] === undefined || isJsonObject(value['data'])) &&
    // Depth 0, because the message itself does not count as a level of its data.
    findDataFault(value, 0) === null
  );
}

function isPlace(value: unknown): value is [string, number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isPosition(value[1]);
}

function isEntriesItem(value: unknown): value is EntriesItem {
  return (
    isFields(value) &&
    typeof value['epoch'] === 'string' &&
    isArrayOf(value['to'], isPlace) &&
    (value['message'] === undefined || isMessage(value['message'])) &&
    (value['trace'] === undefined || typeof value['trace'] === 'string')
  );
}

function isReceiptNews(value: unknown): value is ReceiptNews {
  return (
    isFields(value) &&
    typeof value['messageId'] === 'string' &&
    typeof value['sender'] === 'string' &&
    typeof value['user'] === 'string' &&
    (value['status'] === 'delivered' || value['status'] === 'read') &&
    typeof value['at'] === 'string'
  );
}
