import type { FrameErrorCode } from './frame-errors.ts';
import type { Message } from './message.ts';

/** A client's mark on a frame. The answer carries it. */
export type Ref = string | number;

/** Frames that the gateway sends (PROTOCOL §5.2). */
export type ServerFrame =
  | {
      type: 'welcome';
      user: string;
      device: string;
      session: string;
      epoch: string;
      after: number;
      lastSeq: number;
      heartbeatMs: number;
      reset?: true;
    }
  | { type: 'message'; seq: number; message: Message; incomplete?: true }
  | { type: 'skipped'; from: number; to: number }
  | { type: 'caughtUp'; seq: number }
  | { type: 'receipt'; id: string; user: string; status: ReceiptStatus; at: string }
  | { type: 'ok'; ref: Ref }
  | { type: 'error'; ref?: Ref; code: FrameErrorCode; detail: string }
  | { type: 'pong'; ref?: Ref }
  | { type: 'goodbye'; reconnectAfterMs: number };

/** Frames that a client sends (PROTOCOL §5.3). */
export type ClientFrame =
  | { type: 'ack'; seq: number; ref?: Ref }
  | { type: 'read'; ids: readonly string[]; ref?: Ref }
  | { type: 'auth'; token: string; ref?: Ref }
  | { type: 'ping'; ref?: Ref };

/** What a receipt says about a message and one recipient. Read implies delivered. */
export type ReceiptStatus = 'delivered' | 'read';

/** Encodes a frame as text. */
export function encodeFrame(frame: ServerFrame): string {
  return JSON.stringify(frame);
}

/** Encodes a `message` frame. The message is already JSON text, so that it is encoded once for all recipients. */
export function encodeMessageFrame(seq: number, messageJson: string, isIncomplete = false): string {
  const mark = isIncomplete ? ',"incomplete":true' : '';
  return `{"type":"message","seq":${seq},"message":${messageJson}${mark}}`;
}
