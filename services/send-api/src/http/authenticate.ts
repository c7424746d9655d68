import type { IncomingMessage } from 'node:http';
import { bearerFrom, type Identity, KeySourceError, problemOfToken, TokenError } from '@posthorn/runtime';
import { contextOf } from './request-context';

/** Verifies tokens; `TokenVerifier` does. */
export interface Verifier {
  verify(token: string): Promise<Identity>;
}

/** Tells who calls, from the headers alone: the body has not been read yet. */
export type Authenticate = (req: IncomingMessage) => Promise<Identity>;

/** @returns a function that throws a Problem: 401 without a good token, 503 while nobody can tell */
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
