import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { TokenVerifier } from './token';
import { problemOfToken, TokenError } from './token-errors';

const secret = 's3cret-'.repeat(6);
const key = Buffer.from(secret);
const nowS = 1_800_000_000;

function verifier(auth: { issuer?: string; audience?: string } = {}, atS: () => number = () => nowS) {
  return new TokenVerifier({ auth: { secret, ...auth }, now: () => atS() * 1000 });
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** A token of any claims, signed rightly. */
function signed(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...header }).sign(key);
}

const good = { sub: 'alice', exp: nowS + 60 };

async function refusal(token: string, by = verifier()): Promise<TokenError> {
  const error = await by.verify(token).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof TokenError) {
    expect(token.length > 20 && error.message.includes(token.slice(0, 20))).toBe(false);
    return error;
  }
  throw new Error(`expected a TokenError, got ${String(error)}`);
}

it('names the user, the scopes and the end of a good token', async () => {
  const identity = await verifier().verify(await signed({ ...good, scope: 'send:as  other' }));
  expect(identity).toEqual({
    user: 'alice',
    scopes: new Set(['send:as', 'other']),
    expiresAtMs: (nowS + 60) * 1000,
  });
});

it.each(['a', 'A1._:@-z', 'x'.repeat(128)])('takes the user id %s', async (sub) => {
  expect((await verifier().verify(await signed({ ...good, sub }))).user).toBe(sub);
});

it.each([
  undefined,
  '',
  7,
  null,
  { toString: 'alice' },
  ['alice'],
  'a b',
  'a/b',
  'a{b}',
  'ålice',
  'alice\n',
  'x'.repeat(129),
])('refuses the sub %j', async (sub) => {
  expect((await refusal(await signed({ ...good, sub }))).reason).toBe('invalid');
});

it.each([
  ['an array', ['send:as']],
  ['an object', { 'send:as': true }],
  ['a number', 7],
  ['a longer word', 'xsend:as send:asx'],
])('gives no scope for %s', async (_what, scope) => {
  const { scopes } = await verifier().verify(await signed({ ...good, scope }));
  expect(scopes.has('send:as')).toBe(false);
});

it('refuses a token without exp, or with one that is no number', async () => {
  expect((await refusal(await signed({ sub: 'alice' }))).message).toContain('"exp"');
  for (const exp of [String(nowS + 60), null, [nowS + 60], true]) {
    expect((await refusal(await signed({ sub: 'alice', exp }))).reason).toBe('invalid');
  }
});

it('allows a leeway of 5 s at both ends, and no more', async () => {
  await verifier().verify(await signed({ ...good, exp: nowS - 4 }));
  expect((await refusal(await signed({ ...good, exp: nowS - 5 }))).reason).toBe('expired');
  await verifier().verify(await signed({ ...good, nbf: nowS + 5 }));
  expect((await refusal(await signed({ ...good, nbf: nowS + 6 }))).reason).toBe('not_yet_valid');
  expect((await refusal(await signed({ ...good, nbf: 'soon' }))).reason).toBe('invalid');
});

it('checks issuer and audience where they are set', async () => {
  const strict = verifier({ issuer: 'https://login.example', audience: 'posthorn' });
  await strict.verify(await signed({ ...good, iss: 'https://login.example', aud: ['other', 'posthorn'] }));
  expect((await refusal(await signed({ ...good, aud: 'posthorn' }), strict)).message).toContain('"iss"');
  expect((await refusal(await signed({ ...good, iss: 'https://login.example' }), strict)).message).toContain(
    '"aud"',
  );
  expect(
    (await refusal(await signed({ ...good, iss: 'https://login.example/', aud: 'posthorn' }), strict)).reason,
  ).toBe('invalid');
});

describe('forged tokens', () => {
  it('with no signature, whatever alg none is spelled like', async () => {
    for (const alg of ['none', 'None', 'NONE', '']) {
      const head = encode({ alg });
      await refusal(`${head}.${encode(good)}.`);
      await refusal(`${head}.${encode(good)}.AAAA`);
    }
  });

  it('signed by another secret or algorithm of the same secret', async () => {
    const other = await new SignJWT(good).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 1));
    expect((await refusal(other)).message).toContain('signature');
    const stronger = await new SignJWT(good).setProtectedHeader({ alg: 'HS512' }).sign(Buffer.alloc(64, 1));
    expect((await refusal(stronger)).message).toContain('algorithm');
  });

  it('signed by RSA', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await refusal(rsaToken(privateKey));
  });

  it('changed, cut, extended, or with white space', async () => {
    const token = await signed(good);
    const [head = '', body = '', signature = ''] = token.split('.');
    const forgeries = [
      `${head}.${encode({ ...good, sub: 'bob' })}.${signature}`,
      `${head}.${body}.${signature.slice(0, -4)}`,
      `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${head}.${body}`,
      `${token}.${signature}`,
      `${token}\n`,
      ` ${token}`,
      `${token}=`,
      `${head}..${signature}`,
      '..',
      '',
      'garbage',
    ];
    for (const forgery of forgeries) {
      expect((await refusal(forgery)).reason).toBe('invalid');
    }
  });

  it('with a critical header that nobody knows, or an unencoded payload', async () => {
    const parts = [encode({ alg: 'HS256', crit: ['x'], x: 1 }), encode(good)];
    const { createHmac } = await import('node:crypto');
    const signature = createHmac('sha256', key).update(parts.join('.')).digest('base64url');
    await refusal([...parts, signature].join('.'));
    const raw = [encode({ alg: 'HS256', crit: ['b64'], b64: false }), encode(good)];
    const rawSignature = createHmac('sha256', key).update(raw.join('.')).digest('base64url');
    await refusal([...raw, rawSignature].join('.'));
  });

  it('whose payload is no object', async () => {
    const { createHmac } = await import('node:crypto');
    for (const payload of ['[]', '"alice"', '7', 'null', '{', '']) {
      const input = `${encode({ alg: 'HS256' })}.${Buffer.from(payload).toString('base64url')}`;
      await refusal(`${input}.${createHmac('sha256', key).update(input).digest('base64url')}`);
    }
  });

  it('that are huge, before they are decoded', async () => {
    // This one would be accepted if it were decoded.
    await refusal(await signed({ ...good, pad: 'x'.repeat(16_384) }));
    await refusal('a.'.repeat(500_000));
  });
});

it('fetches nothing that a header names', async () => {
  const fetched = jest.spyOn(globalThis, 'fetch');
  const header = { jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/', kid: "../../etc'; DROP TABLE--" };
  await verifier().verify(await signed(good, header));
  await refusal(await signed(good, { ...header, alg: 'HS384', jwk: { kty: 'oct', k: 'AAAA' } }));
  expect(fetched).not.toHaveBeenCalled();
  fetched.mockRestore();
});

it('remembers a token, but never beyond its end', async () => {
  let atS = nowS;
  const remembering = verifier({}, () => atS);
  const token = await signed(good);
  const first = await remembering.verify(token);
  expect(await remembering.verify(token)).toBe(first);
  atS = nowS + 64;
  expect(await remembering.verify(token)).toBe(first);
  atS = nowS + 65;
  expect((await refusal(token, remembering)).reason).toBe('expired');
  expect((await refusal(token, remembering)).reason).toBe('expired');
});

it('does not remember refusals, long tokens, or anything once it is closed', async () => {
  const remembering = verifier();
  const long = await signed({ ...good, pad: 'x'.repeat(4000) });
  expect(await remembering.verify(long)).not.toBe(await remembering.verify(long));
  const token = await signed(good);
  const first = await remembering.verify(token);
  remembering.close();
  expect(await remembering.verify(token)).not.toBe(first);
});

it('refuses to work without a key source', () => {
  expect(() => new TokenVerifier({ auth: {} })).toThrow('secret');
});

describe('the answer to a refused token', () => {
  it('is 401 with a challenge; the reason only where a token was given', () => {
    expect(problemOfToken(null).headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
    const expired = problemOfToken(new TokenError('expired', 'The token has expired.'));
    expect([expired.status, expired.headers['WWW-Authenticate']]).toEqual([
      401,
      'Bearer error="invalid_token", error_description="The token has expired."',
    ]);
  });

  it('is 500 for anything else, and says nothing of it', () => {
    const other = problemOfToken(new Error('inside'));
    expect([other.status, other.detail.includes('inside')]).toEqual([500, false]);
  });
});

function rsaToken(privateKey: KeyObject): string {
  const input = `${encode({ alg: 'RS256' })}.${encode(good)}`;
  return `${input}.${createSign('sha256').update(input).sign(privateKey, 'base64url')}`;
}

it('§3.2: refuses a signature whose last character has bits that nobody reads', async () => {
  const token = await signed(good);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(token.slice(-1));
  const other = token.slice(0, -1) + alphabet.charAt(last ^ 1);
  expect(Buffer.from(other.split('.')[2] ?? '', 'base64url')).toEqual(
    Buffer.from(token.split('.')[2] ?? '', 'base64url'),
  );
  expect((await refusal(other)).reason).toBe('invalid');
  expect((await verifier().verify(token)).user).toBe('alice');
});
