import { type ProblemCode, problemsCatalogue, problemType } from '@posthorn/runtime';
import type { MessageLimits, SendMessageDto } from '../messages/send-message.dto';
import { type Answer, type Operation, operations } from './operations';
import { componentSchemas, refTo, type Schema } from './schemas';

/** An OpenAPI 3.1 document, with the fields that this code and its tests read. */
export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: Schema;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
  readonly components: Readonly<Record<string, Schema>>;
  readonly [field: string]: unknown;
}

export interface OpenApiOptions {
  /** The class that validates the body of a send, under the limits in force. */
  readonly SendMessage: new () => SendMessageDto;
  readonly limits: MessageLimits & { readonly maxBodyBytes: number };
}

/** Builds the HTTP reference from the DTOs, the table of operations and the problems catalogue. */
export function buildOpenApi({ SendMessage, limits }: OpenApiOptions): OpenApiDocument {
  const paths: Record<string, Record<string, Schema>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Posthorn send-api',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'Messages that arrive: a `201` means that every device of every recipient gets the message, in order. ' +
        `Bodies are JSON in UTF-8 of at most ${limits.maxBodyBytes} bytes. Unknown fields are refused. ` +
        'Every answer carries `X-Request-Id`: yours, if you sent a valid one, otherwise a new one.',
    },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(({ tag }) => tag))].map((name) => ({ name })),
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            '`sub` is your user id. `exp` is required. The scope `send:as` lets a backend send for other users.',
        },
      },
      headers: { 'X-Request-Id': REQUEST_ID },
      schemas: componentSchemas(SendMessage),
    },
  };
}

const REQUEST_ID: Schema = {
  description:
    "The request's id: the caller's, if it is 1 to 128 characters out of `A-Z a-z 0-9 . _ -`, otherwise a new one.",
  schema: { type: 'string' },
};

const EVERYWHERE: readonly ProblemCode[] = [
  'malformed_request',
  'method_not_allowed',
  'request_timeout',
  'headers_too_large',
  'internal',
];
const AUTHENTICATED: readonly ProblemCode[] = ['unauthorized', 'unavailable'];

function describe(operation: Operation): Schema {
  const { id, tag, summary, description, parameters, body, answers, isPublic } = operation;
  const codes = [...EVERYWHERE, ...(isPublic === true ? [] : AUTHENTICATED), ...operation.problems];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(isPublic === true ? { security: [] } : {}),
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: refTo(body) } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, success(answer)])),
      ...problemResponses(codes),
    },
  };
}

function success({ description, schema, headers }: Answer): Schema {
  return {
    description,
    headers: { ...requestIdHeader(), ...headers },
    ...(schema === undefined ? {} : { content: { 'application/json': { schema } } }),
  };
}

/** One response per status, with an example for each code. */
function problemResponses(codes: readonly ProblemCode[]): Record<string, Schema> {
  const statuses = new Set(codes.map((code) => problemsCatalogue[code].status));
  const groups = [...statuses].map((status) => ({
    status,
    group: codes.filter((code) => problemsCatalogue[code].status === status),
  }));
  return Object.fromEntries(
    groups.map(({ status, group }) => [
      String(status),
      {
        description: group.map((code) => `\`${code}\`: ${problemsCatalogue[code].meaning}`).join(' '),
        headers: { ...requestIdHeader(), ...headersOf(group) },
        content: {
          'application/problem+json': {
            schema: refTo('Problem'),
            examples: Object.fromEntries(group.map((code) => [code, { value: exampleOf(code) }])),
          },
        },
      },
    ]),
  );
}

function headersOf(codes: readonly ProblemCode[]): Record<string, Schema> {
  const names = new Set(codes.flatMap((code) => Object.keys(problemsCatalogue[code].headers ?? {})));
  if (codes.includes('rate_limited')) names.add('RateLimit').add('RateLimit-Policy');
  if (codes.includes('method_not_allowed')) names.add('Allow');
  return Object.fromEntries([...names].map((name) => [name, { schema: { type: 'string' } }]));
}

function exampleOf(code: ProblemCode): Schema {
  const { title, status, meaning } = problemsCatalogue[code];
  return { type: problemType(code), title, status, detail: meaning, code };
}

function requestIdHeader(): Record<string, Schema> {
  return { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } };
}
