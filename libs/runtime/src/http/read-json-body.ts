import type { IncomingMessage } from 'node:http';
import { problem } from '../problems/problem';

/**
 * Reads the JSON body of a request to Node's HTTP server.
 *
 * @throws Problem 400, 413 or 415
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (
    !/^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(request.headers['content-type'] ?? '')
  ) {
    throw problem('unsupported_media_type');
  }
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) {
    throw problem('empty_body');
  }
  return parseJson(decode(bytes));
}

async function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    problem('payload_too_large', { detail: `The body is larger than ${maxBytes} bytes.` });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    throw tooLarge();
  }
  const chunks: Buffer[] = [];
  let size = 0;
  // By default the iterator would cut the connection before the 413 is written.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) {
      throw tooLarge();
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw problem('invalid_utf8', { cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw problem('invalid_json', { cause });
  }
}
