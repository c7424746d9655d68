import { type Finding, fault, ok, warning, wordsOf } from './finding.ts';

const WAIT_MS = 3_000;
const REMEDY = 'Check AUTH_JWKS_URL, and whether this machine can reach the login service.';

/** Checks the login service's key set: it is reachable and has keys that the services can use (PROTOCOL §3.2). */
export async function checkKeys(url: string): Promise<Finding[]> {
  const check = 'token keys';
  const startedAt = performance.now();
  let keys: unknown;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(WAIT_MS) });
    if (response.status !== 200) return [fault(check, `AUTH_JWKS_URL answers ${response.status}`, REMEDY)];
    keys = ((await response.json()) as { keys?: unknown } | null)?.keys;
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return [fault(check, `AUTH_JWKS_URL cannot be read: ${wordsOf(cause)}`, REMEDY)];
  }
  const all = Array.isArray(keys) ? keys : [];
  const usable = all.filter(isUsable);
  const remedy = 'Let the login service sign with RS256, ES256 or EdDSA, and publish these keys.';
  if (usable.length === 0)
    return [fault(check, `none of ${all.length} keys is for RS256, ES256 or EdDSA`, remedy)];
  const tookMs = performance.now() - startedAt;
  const unnamed = usable.filter(({ kid }) => kid === undefined).length;
  const found = [ok(check, `${usable.length} usable, read in ${tookMs.toFixed(0)} ms`)];
  if (usable.length > 1 && unnamed > 0)
    found.push(
      warning(
        check,
        `${unnamed} key(s) without a kid`,
        'Give each key a kid, so that a token can say which key signed it.',
      ),
    );
  return found;
}

interface Jwk {
  kty?: string;
  crv?: string;
  use?: string;
  kid?: string;
}

function isUsable(key: unknown): key is Jwk {
  if (typeof key !== 'object' || key === null) return false;
  const { kty, crv, use } = key as Jwk;
  if (use !== undefined && use !== 'sig') return false;
  return kty === 'RSA' || (kty === 'EC' && crv === 'P-256') || (kty === 'OKP' && crv === 'Ed25519');
}
