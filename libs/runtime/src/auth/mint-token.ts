import { SignJWT } from 'jose/jwt/sign';

/** Whose token to make, and how. */
export interface TokenOptions {
  user: string;
  secret: string;
  /** Seconds; 3,600 by default. */
  ttlS?: number;
  /** Scopes separated by spaces, for example `send:as`. */
  scope?: string;
  issuer?: string;
  audience?: string;
}

/** A JWT for a user, signed with HS256. */
export function mintToken({
  user,
  secret,
  ttlS = 3_600,
  scope,
  issuer,
  audience,
}: TokenOptions): Promise<string> {
  const nowS = Math.floor(Date.now() / 1_000);
  const token = new SignJWT(scope === undefined ? {} : { scope })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt(nowS)
    .setExpirationTime(nowS + ttlS);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(new TextEncoder().encode(secret));
}
