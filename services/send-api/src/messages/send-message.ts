import type { ServerResponse } from 'node:http';
import type { NewMessage } from '@posthorn/inbox';
import { isIdempotencyKey, type JsonObject } from '@posthorn/protocol';
import { type Identity, problem, type Tracing } from '@posthorn/runtime';
import { sendJson } from '../http/answer';
import type { Authenticate } from '../http/authenticate';
import type { Handle, Routed } from '../http/endpoint';
import { readJsonObject } from '../http/json-body';
import { contextOf } from '../http/request-context';
import type { SendApiMetrics, SendOutcome } from '../metrics';
import type { Validated } from '../validation/validate-dto';
import { bodyHash } from './body-hash';
import type { Commit } from './message-committer';
import { type Limiter, takeSend } from './rate-limit';
import type { SendMessageDto } from './send-message.dto';
import { sendOutcomeOf } from './send-outcome';

/** What sending needs. */
export interface SendMessageOptions {
  readonly authenticate: Authenticate;
  /** Null if sends are not limited. */
  readonly limiter: Limiter | null;
  readonly validate: (body: JsonObject) => Validated<SendMessageDto>;
  readonly commit: (send: NewMessage) => Promise<Commit>;
  readonly maxBodyBytes: number;
  readonly metrics: SendApiMetrics;
  readonly tracing: Tracing | null;
}

/** The scope of a backend that sends for other users. */
const SEND_AS = 'send:as';

/**
 * `POST /v1/messages` (PROTOCOL §4.1). The 201 is written after the commit, once routing has finished or its time
 * limit is over. Routing never changes the answer.
 */
export function createSendMessage(options: SendMessageOptions): Handle {
  const { authenticate, limiter, commit, maxBodyBytes, metrics, tracing } = options;

  async function send(req: Routed, res: ServerResponse, trace?: string): Promise<void> {
    const caller = await authenticate(req);
    const limits = await takeSend(limiter, caller.user);
    if (!res.headersSent) res.setHeaders(limits);
    const key = idempotencyKeyOf(req);
    const body = await readJsonObject(req, res, maxBodyBytes);
    const message = newMessage(body, caller, key, options.validate);
    if (trace !== undefined) message.trace = trace;

    const { outcome, routed } = await commit(message);
    if (outcome.kind === 'conflict') throw problem('idempotency_conflict');
    const location = `/v1/messages/${outcome.message.id}`;
    if (outcome.kind === 'replayed') {
      metrics.sends.inc(REPLAYED);
      sendJson(res, 200, outcome.message, { Location: location, 'Idempotency-Replayed': 'true' });
      return;
    }
    await routed;
    metrics.sends.inc(ACCEPTED);
    metrics.recipients.observe(message.to.length);
    sendJson(res, 201, outcome.message, { Location: location });
    logAccepted(req, outcome.message.id, message);
  }

  /** Begins the trace that ends with the acknowledgement. It continues the caller's trace, if there is one. */
  async function sendTraced(req: Routed, res: ServerResponse, traces: Tracing): Promise<void> {
    const { traceparent } = req.headers;
    const span = traces.begin('POST /v1/messages', typeof traceparent === 'string' ? traceparent : undefined);
    try {
      await send(req, res, span.context);
      span.end({ 'http.response.status_code': res.statusCode }, false);
    } catch (error) {
      const outcome = sendOutcomeOf(error);
      span.end({ 'posthorn.outcome': outcome }, FAILURES.has(outcome));
      throw error;
    }
  }

  return async (req, res) => {
    try {
      await (tracing === null ? send(req, res) : sendTraced(req, res, tracing));
    } catch (error) {
      metrics.sends.inc({ outcome: sendOutcomeOf(error) });
      throw error;
    }
  };
}

/** Outcomes that are the server's fault. */
const FAILURES: ReadonlySet<SendOutcome> = new Set(['unavailable', 'overloaded', 'error']);

const ACCEPTED = { outcome: 'accepted' } as const;
const REPLAYED = { outcome: 'replayed' } as const;

/**
 * A repeated header is refused as well: Node joins the values with a space, which no key contains.
 * @throws Problem invalid_idempotency_key
 */
function idempotencyKeyOf(req: Routed): string | null {
  const key = req.headers['idempotency-key'];
  if (key === undefined) return null;
  if (!isIdempotencyKey(key)) throw problem('invalid_idempotency_key');
  return key;
}

/** @throws Problem invalid_message or forbidden_from */
function newMessage(
  body: JsonObject,
  caller: Identity,
  key: string | null,
  validate: SendMessageOptions['validate'],
): NewMessage {
  const result = validate(body);
  if ('faults' in result) throw problem('invalid_message', { errors: result.faults });
  const { from: sender = caller.user, to, text, data } = result.dto;
  if (sender !== caller.user && !caller.scopes.has(SEND_AS)) throw problem('forbidden_from');
  return {
    sender,
    to: [...new Set(to)],
    ...(text === undefined ? {} : { text }),
    ...(data === undefined ? {} : { data }),
    ...(key === null ? {} : { idempotency: { key, bodyHash: bodyHash(body) } }),
  };
}

function logAccepted(req: Routed, messageId: string, { sender, to }: NewMessage): void {
  const { log } = contextOf(req);
  if (log.isLevelEnabled('debug')) {
    log.debug('message accepted', { user: sender, messageId, recipients: to.length });
  }
}
