import type { Random } from '../random';
import { randomBytes } from './evil';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What may be wrong with a frame. */
export interface FrameShape {
  isFinal?: boolean;
  /** The three reserved bits. */
  rsv?: number;
  isMasked?: boolean;
  /** The length in the head, if it differs from the real one. */
  length?: bigint;
  /** How many bytes the length takes; as few as possible by default. */
  lengthBytes?: 0 | 2 | 8;
}

/** One client frame, valid or not. */
export function clientFrame(
  random: Random,
  opcode: number,
  payload: Buffer | string,
  { isFinal = true, rsv = 0, isMasked = true, length, lengthBytes }: FrameShape = {},
): Buffer {
  const data = Buffer.from(payload);
  const size = length ?? BigInt(data.length);
  const width = lengthBytes ?? (size < 126n ? 0 : size < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + width);
  head[0] = (isFinal ? 0x80 : 0) | (rsv << 4) | opcode;
  const code = width === 0 ? Number(size) : width === 2 ? 126 : 127;
  head[1] = (isMasked ? 0x80 : 0) | code;
  if (width === 2) head.writeUInt16BE(Number(size), 2);
  if (width === 8) head.writeBigUInt64BE(size, 2);
  if (!isMasked) return Buffer.concat([head, data]);
  const mask = randomBytes(random, 4);
  for (let at = 0; at < data.length; at++) data[at] = (data[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return Buffer.concat([head, mask, data]);
}

/** A frame of the server. */
export interface WireFrame {
  opcode: number;
  payload: Buffer;
}

/** Parses the bytes of a server. Throws on frames that a server must not send. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): WireFrame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: WireFrame[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): WireFrame | null {
    const bytes = this.#rest;
    const [first = 0, second = 0] = bytes;
    if (bytes.length < 2) return null;
    if ((first & 0xf0) !== 0x80 || (second & 0x80) !== 0) {
      throw new Error(`no frame of a server: ${bytes.subarray(0, 16).toString('hex')}`);
    }
    const code = second & 0x7f;
    const head = code === 126 ? 4 : code === 127 ? 10 : 2;
    if (bytes.length < head) return null;
    const length =
      code === 126 ? bytes.readUInt16BE(2) : code === 127 ? Number(bytes.readBigUInt64BE(2)) : code;
    if (bytes.length < head + length) return null;
    this.#rest = bytes.subarray(head + length);
    return { opcode: first & 0x0f, payload: bytes.subarray(head, head + length) };
  }
}
