import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import { isJsonObject, type JsonObject } from '@posthorn/protocol';
import { problem } from '@posthorn/runtime';
import { hasBody } from './has-body';

/** The client closed the connection before its request was complete, so it gets no answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

/**
 * Reads the body as one JSON object (PROTOCOL §4.2). The order of the checks is part of the protocol: size,
 * media type, encoding, emptiness, UTF-8, JSON, shape.
 *
 * @param maxBytes limits the body both as sent and after decompression
 * @throws Problem 400, 413, 415 or 422
 * @throws ClientGoneError if the request is cut off
 */
export async function readJsonObject(
  req: IncomingMessage,
  res: ServerResponse,
  maxBytes: number,
): Promise<JsonObject> {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const isBare = req.headers['content-type'] === undefined;
  if (isBare && !hasBody(req)) throw problem('empty_body');
  if (isBare || !isJsonType(req.headers['content-type'] ?? '')) throw problem('unsupported_media_type');
  const decode = decoderOf(req.headers['content-encoding']);

  // Ask for the body only now, when the headers have been accepted.
  if (req.headers.expect?.toLowerCase() === '100-continue') res.writeContinue();
  const value = parseJson(await decode(await readBytes(req, maxBytes), maxBytes));
  if (!isJsonObject(value)) {
    throw problem('invalid_message', { errors: [{ pointer: '', detail: 'must be a JSON object' }] });
  }
  return value;
}

const PARAMETER = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9a-z-]+))\s*$/i;

/** True for `application/json`. A charset, if given, must be UTF-8. */
function isJsonType(contentType: string): boolean {
  if (contentType === 'application/json') return true;
  const [type = '', ...parameters] = contentType.split(';');
  if (type.trim().toLowerCase() !== 'application/json') return false;
  return parameters.every((text) => {
    const [, name, quoted, token] = PARAMETER.exec(text) ?? [];
    if (name === undefined) return text.trim() === '';
    return name.toLowerCase() !== 'charset' || /^utf-?8$/i.test(quoted ?? token ?? '');
  });
}

type Decode = (bytes: Buffer, maxBytes: number) => Buffer | Promise<Buffer>;
type Decompress = (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>;

const identity: Decode = (bytes) => bytes;

const decoders: ReadonlyMap<string, Decode> = new Map([
  ['identity', identity],
  ['gzip', decompressWith(promisify<Buffer, ZlibOptions, Buffer>(gunzip))],
  ['x-gzip', decompressWith(promisify<Buffer, ZlibOptions, Buffer>(gunzip))],
  ['deflate', decompressWith(promisify<Buffer, ZlibOptions, Buffer>(inflate))],
  ['br', decompressWith(promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress))],
]);

function decoderOf(encoding: string | undefined): Decode {
  if (encoding === undefined) return identity;
  const decoder = decoders.get(encoding.trim().toLowerCase());
  if (decoder === undefined) {
    throw problem('unsupported_media_type', {
      detail: 'Content-Encoding may be identity, gzip, deflate or br.',
      headers: { 'Accept-Encoding': 'gzip, deflate, br' },
    });
  }
  return decoder;
}

function decompressWith(decompress: Decompress): Decode {
  return async (bytes, maxBytes) => {
    if (bytes.length === 0) return bytes;
    try {
      return await decompress(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      if (isTooLarge(error)) throw tooLarge(maxBytes);
      throw problem('malformed_request', {
        detail: 'The body does not match its Content-Encoding.',
        cause: error,
      });
    }
  };
}

function isTooLarge(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
  );
}

/** Reads the body. Refuses it as soon as it is over `maxBytes`, whatever the headers said. */
function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        reject(tooLarge(maxBytes));
      }
    });
    req.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const onCut = (): void => {
      if (!req.readableEnded) reject(new ClientGoneError('the request was cut off'));
    };
    req.once('error', onCut);
    req.once('close', onCut);
  });
}

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw problem('empty_body');
  if (!isUtf8(bytes)) throw problem('invalid_utf8');
  const text = bytes.toString('utf8');
  try {
    // Drop a byte order mark, as RFC 8259 §8.1 allows.
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch (error) {
    throw problem('invalid_json', { cause: error });
  }
}

function tooLarge(maxBytes: number): Error {
  return problem('payload_too_large', { detail: `The body is larger than ${maxBytes} bytes.` });
}
