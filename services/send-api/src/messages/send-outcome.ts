import type { ProblemCode } from '@posthorn/runtime';
import { problemOf } from '../http/answer-fault';
import { ClientGoneError } from '../http/json-body';
import type { SendOutcome } from '../metrics';

/** How the metrics count a send that failed with this error. */
export function sendOutcomeOf(error: unknown): SendOutcome {
  if (error instanceof ClientGoneError) return 'aborted';
  return OUTCOMES[problemOf(error).code] ?? 'error';
}

const OUTCOMES: Partial<Record<ProblemCode, SendOutcome>> = {
  malformed_request: 'malformed',
  invalid_json: 'malformed',
  empty_body: 'malformed',
  invalid_utf8: 'malformed',
  invalid_idempotency_key: 'malformed',
  payload_too_large: 'malformed',
  unsupported_media_type: 'malformed',
  unauthorized: 'unauthorized',
  forbidden_from: 'forbidden',
  invalid_message: 'invalid',
  idempotency_conflict: 'conflict',
  rate_limited: 'rate_limited',
  unavailable: 'unavailable',
  overloaded: 'overloaded',
};
