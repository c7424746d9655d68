import { closeCodes } from './close-codes.ts';
import { clientFrameKinds, type FrameKind, serverFrameKinds } from './frame-schemas.ts';
import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from './limits.ts';

/** An AsyncAPI 3.0 document, with the fields that this code and its tests read. */
export interface AsyncApiDocument {
  readonly asyncapi: string;
  readonly channels: Readonly<Record<string, unknown>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [field: string]: unknown;
}

/** Builds the AsyncAPI reference of the WebSocket: every frame with its schema (PROTOCOL §4.9). */
export function buildAsyncApi(): AsyncApiDocument {
  const messages = { ...messagesOf(serverFrameKinds), ...messagesOf(clientFrameKinds) };
  const closes = Object.values(closeCodes).map(({ code, meaning }) => `${code}: ${meaning}`);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Posthorn ws-gateway',
      version: '1',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      description: `One WebSocket serves one device of one user. Each frame is a text frame with one JSON object. Close codes: ${closes.join(' ')}`,
    },
    defaultContentType: 'application/json',
    servers: {
      gateway: {
        host: 'chat.example.com',
        protocol: 'wss',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: {
      connect: {
        address: '/v1/connect',
        description: `The subprotocol is \`${SUBPROTOCOL}\`. A browser offers \`${BEARER_SUBPROTOCOL_PREFIX}JWT\` as the second one.`,
        messages: Object.fromEntries(
          Object.keys(messages).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            query: {
              type: 'object',
              properties: {
                device: { type: 'string', pattern: '^[A-Za-z0-9._:@-]{1,64}$' },
                after: { type: 'integer', minimum: 0 },
                epoch: { type: 'string', maxLength: 64 },
                ack: { type: 'string', enum: ['manual', 'auto'] },
              },
            },
            bindingVersion: '0.1.0',
          },
        },
      },
    },
    operations: {
      // AsyncAPI names the operations from the gateway's side.
      toClient: operation('send', serverFrameKinds),
      fromClient: operation('receive', clientFrameKinds),
    },
    components: {
      messages,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function messagesOf(kinds: Readonly<Record<string, FrameKind>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(kinds).map(([name, { meaning, schema }]) => [
      name,
      { name, summary: meaning, payload: schema },
    ]),
  );
}

function operation(action: 'send' | 'receive', kinds: Readonly<Record<string, FrameKind>>): object {
  return {
    action,
    channel: { $ref: '#/channels/connect' },
    messages: Object.keys(kinds).map((name) => ({ $ref: `#/channels/connect/messages/${name}` })),
  };
}
