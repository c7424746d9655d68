import type { IncomingMessage } from 'node:http';
import { bearerFrom, type Identity, KeySourceError, problemOfToken, TokenError } from '@posthorn/runtime';
import { contextOf } from './request-context';

/** Verifies tokens, as `TokenVerifier` does. */
export interface Verifier {
  verify(token: string): Promise<Identity>;
}

/** Identifies the caller from the headers, before the body is read. */
export type Authenticate = (req: IncomingMessage) => Promise<Identity>;

/** @returns a function that throws a Problem: 401 without a valid token, 503 while the key set cannot be read */
export function createAuthenticate(verifier: Verifier): Authenticate {
  return async (req) => {
    const token = bearerFrom(contextOf(req).authorization);
    if (token === null) throw problemOfToken(null);
    try {
      return await verifier.verify(token);
    } catch (error) {
      throw error instanceof TokenError || error instanceof KeySourceError ? problemOfToken(error) : error;
    }
  };
}
