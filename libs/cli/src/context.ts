import type { Readable } from 'node:stream';
import { type HttpClient, httpClient } from '@posthorn/client';
import { isUserId, USER_ID_RULE } from '@posthorn/protocol';
import type { Environment } from './environment.ts';
import { CliError, EXIT } from './exit.ts';
import type { Output } from './output.ts';

/** The arguments of every command. */
export interface Context {
  env: Environment;
  out: Output;
  input: Readable;
  /** Aborted by Ctrl-C and SIGTERM, so that a command can end cleanly. */
  stop: AbortSignal;
  /** send-api's address. */
  api: string;
  /** The gateways' address. */
  gateway: string;
  /** Which of the two addresses an option or a setting named. */
  isNamed: { api: boolean; gateway: boolean };
}

const MIN_SECRET_BYTES = 32;
const TOKEN_TTL_S = 3_600;

/** The user and the scopes of a token. */
export interface TokenWish {
  user: string;
  ttlS?: number;
  scope?: string | undefined;
}

/** A token that the services accept, signed with AUTH_JWT_SECRET. @throws CliError */
export async function signToken(env: Environment, wish: TokenWish): Promise<string> {
  const { user, scope, ttlS = TOKEN_TTL_S } = wish;
  if (!isUserId(user))
    throw new CliError(EXIT.usage, `not a user id: ${wish.user}. A user id is ${USER_ID_RULE}`);
  const secret = env.get('AUTH_JWT_SECRET');
  if (secret === undefined) {
    throw new CliError(
      EXIT.config,
      'AUTH_JWT_SECRET is not set, and npm start has not run in this folder. Set it to the secret of the services, or set POSTHORN_TOKEN to a token of your login service',
    );
  }
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES)
    throw new CliError(EXIT.config, `AUTH_JWT_SECRET is shorter than ${MIN_SECRET_BYTES} bytes`);
  const issuer = env.get('AUTH_ISSUER');
  const audience = env.get('AUTH_AUDIENCE');
  const { mintToken } = await import('@posthorn/runtime/mint-token');
  return await mintToken({
    user,
    secret,
    ttlS,
    ...(scope === undefined ? {} : { scope }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  });
}

/** Tokens for a command that acts for a user: of `--as`, or the one in POSTHORN_TOKEN. @throws CliError */
export function tokensOf(env: Environment, user: string | undefined, scope?: string): () => Promise<string> {
  if (user !== undefined) return () => signToken(env, { user, scope });
  const token = env.get('POSTHORN_TOKEN');
  if (token === undefined)
    throw new CliError(
      EXIT.usage,
      'name the user with --as USER (needs AUTH_JWT_SECRET), or set POSTHORN_TOKEN to a token',
    );
  return async () => token;
}

/** The HTTP client for a user. It is closed when the command is stopped. @throws CliError */
export function httpFor(context: Context, user: string | undefined, scope?: string): HttpClient {
  const client = httpClient({ api: context.api, token: tokensOf(context.env, user, scope) });
  context.stop.addEventListener('abort', () => client.close());
  return client;
}
