import { isJsonObject } from './data.ts';
import type { FrameErrorCode } from './frame-errors.ts';
import type { ClientFrame, Ref } from './frames.ts';
import { MAX_READ_IDS, MAX_REF_CHARS } from './limits.ts';
import { isMessageId } from './names.ts';

/** A parsed frame, or the content of the `error` frame that answers it. */
export type ParsedFrame =
  | { frame: ClientFrame }
  | { fault: { code: FrameErrorCode; detail: string; ref?: Ref } };

type Fields = Readonly<Record<string, unknown>>;

const FIELDS: Record<ClientFrame['type'], ReadonlySet<string>> = {
  ack: new Set(['type', 'ref', 'seq']),
  read: new Set(['type', 'ref', 'ids']),
  auth: new Set(['type', 'ref', 'token']),
  ping: new Set(['type', 'ref']),
};

/** Parses one frame of a client (PROTOCOL §5.3). Never throws: it returns a fault as a value. */
export function parseClientFrame(text: string): ParsedFrame {
  const fields = parseObject(text);
  if (fields === null) return { fault: { code: 'invalid_json', detail: 'a frame must be one JSON object' } };

  const ref = fields['ref'];
  const withRef = isRef(ref) ? { ref } : {};
  const fault = (code: FrameErrorCode, detail: string): ParsedFrame => ({
    fault: { code, detail, ...withRef },
  });

  const type = fields['type'];
  if (!isFrameType(type)) return fault('unknown_type', 'type must be ack, read, auth or ping');
  if (ref !== undefined && !isRef(ref)) {
    return fault('invalid_field', `ref must be a string of 1 to ${MAX_REF_CHARS} characters or an integer`);
  }
  const unknown = Object.keys(fields).find((name) => !FIELDS[type].has(name));
  if (unknown !== undefined) {
    return fault('unknown_field', `${type} has no field ${JSON.stringify(unknown.slice(0, 64))}`);
  }

  switch (type) {
    case 'ack': {
      const seq = fields['seq'];
      if (!isSeq(seq)) return fault('invalid_field', 'seq must be an integer, 0 or more');
      return { frame: { type, seq, ...withRef } };
    }
    case 'read': {
      const ids = fields['ids'];
      if (!isReadIds(ids)) return fault('invalid_field', `ids must be 1 to ${MAX_READ_IDS} message ids`);
      return { frame: { type, ids, ...withRef } };
    }
    case 'auth': {
      const token = fields['token'];
      if (typeof token !== 'string' || token === '') return fault('invalid_field', 'token must be a string');
      return { frame: { type, token, ...withRef } };
    }
    case 'ping':
      return { frame: { type, ...withRef } };
  }
}

function parseObject(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null; // not JSON: the caller answers with `invalid_json`
  }
}

function isFrameType(value: unknown): value is ClientFrame['type'] {
  return typeof value === 'string' && Object.hasOwn(FIELDS, value);
}

function isRef(value: unknown): value is Ref {
  if (typeof value === 'string') return value.length >= 1 && value.length <= MAX_REF_CHARS;
  return Number.isSafeInteger(value);
}

function isSeq(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isReadIds(value: unknown): value is string[] {
  return (
    Array.isArray(value) && value.length >= 1 && value.length <= MAX_READ_IDS && value.every(isMessageId)
  );
}
