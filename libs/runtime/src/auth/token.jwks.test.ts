import { createHmac } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { TokenVerifier } from './token';
import { KeySourceError, problemOfToken, TokenError } from './token-errors';

interface Signer {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

const servers: Server[] = [];

afterEach(() => {
  jest.restoreAllMocks();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function signer(alg: string, kid: string): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), alg, kid, use: 'sig' } };
}

function token({ alg, kid, privateKey }: Signer, header: object = { kid }, sub = 'alice'): Promise<string> {
  const claims = { sub, exp: Math.floor(Date.now() / 1000) + 3600 };
  return new SignJWT(claims).setProtectedHeader({ alg, ...header }).sign(privateKey);
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/jwks`;
}

/** A key set endpoint whose answer can be changed, and that counts. */
async function keySet(...signers: Signer[]) {
  const state = { keys: signers.map(({ jwk }) => jwk), status: 200, requests: 0 };
  const url = await serve((_request, response) => {
    state.requests += 1;
    response.writeHead(state.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ keys: state.keys }));
  });
  return { state, verifier: new TokenVerifier({ auth: { jwksUrl: url } }) };
}

/** Moves both clocks that the key set's ages are read from. */
function pass(ms: number): void {
  const [date, monotonic] = [Date.now.bind(Date), performance.now.bind(performance)];
  jest.spyOn(Date, 'now').mockImplementation(() => date() + ms);
  jest.spyOn(performance, 'now').mockImplementation(() => monotonic() + ms);
}

it.each(['RS256', 'ES256', 'EdDSA'])('verifies %s', async (alg) => {
  const alice = await signer(alg, 'k1');
  const { verifier, state } = await keySet(alice);
  expect((await verifier.verify(await token(alice))).user).toBe('alice');
  await verifier.verify(await token(alice, {}, 'bob'));
  expect(state.requests).toBe(1);
});

it.each(['RS512', 'PS256', 'ES384'])('refuses %s, though the key set has the key', async (alg) => {
  const alice = await signer(alg, 'k1');
  const { verifier, state } = await keySet(alice);
  await expect(verifier.verify(await token(alice))).rejects.toBeInstanceOf(TokenError);
  expect(state.requests).toBe(0);
});

it('refuses the public key used as an HS256 secret', async () => {
  const alice = await signer('RS256', 'k1');
  const { verifier } = await keySet(alice);
  const head = Buffer.from('{"alg":"HS256","kid":"k1"}').toString('base64url');
  const input = `${head}.${(await token(alice)).split('.')[1]}`;
  const forged = `${input}.${createHmac('sha256', await exportSPKI(alice.publicKey))
    .update(input)
    .digest('base64url')}`;
  await expect(verifier.verify(forged)).rejects.toBeInstanceOf(TokenError);
});

it('ignores keys and addresses that the token itself brings', async () => {
  const [alice, mallory] = [await signer('ES256', 'k1'), await signer('ES256', 'k1')];
  const { verifier } = await keySet(alice);
  const header = { kid: 'k1', jwk: mallory.jwk, jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' };
  await expect(verifier.verify(await token(mallory, header))).rejects.toMatchObject({ reason: 'invalid' });
  await verifier.verify(await token(alice, header));
});

it('finds a new key without a restart, and asks for unknown ones only now and then', async () => {
  const [old, fresh, unknown] = [
    await signer('ES256', 'k1'),
    await signer('ES256', 'k2'),
    await signer('ES256', 'k3'),
  ];
  const { verifier, state } = await keySet(old);
  await verifier.verify(await token(old));
  state.keys = [old.jwk, fresh.jwk];
  await expect(verifier.verify(await token(fresh))).rejects.toBeInstanceOf(TokenError);
  expect(state.requests).toBe(1);
  pass(11_000);
  await verifier.verify(await token(fresh));
  expect(state.requests).toBe(2);
  for (let count = 0; count < 20; count += 1) {
    await expect(verifier.verify(await token(unknown, { kid: `x${count}` }))).rejects.toBeInstanceOf(
      TokenError,
    );
  }
  expect(state.requests).toBe(2);
});

it('tries each key of an overlap for a token without a kid', async () => {
  const [old, fresh, foreign] = [
    await signer('ES256', 'k1'),
    await signer('ES256', 'k2'),
    await signer('ES256', 'k3'),
  ];
  const { verifier } = await keySet(old, fresh);
  expect((await verifier.verify(await token(fresh, {}))).user).toBe('alice');
  expect((await verifier.verify(await token(old, {}))).user).toBe('alice');
  await expect(verifier.verify(await token(foreign, {}))).rejects.toMatchObject({ reason: 'invalid' });
});

it('forgets a withdrawn key', async () => {
  const [old, fresh] = [await signer('ES256', 'k1'), await signer('ES256', 'k2')];
  const { verifier, state } = await keySet(old);
  await verifier.verify(await token(old));
  state.keys = [fresh.jwk];
  pass(601_000);
  await verifier.verify(await token(old, { kid: 'k1' }, 'bob'));
  while (state.requests < 2) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await verifier.verify(await token(fresh));
  await expect(verifier.verify(await token(old, { kid: 'k1' }, 'carol'))).rejects.toBeInstanceOf(TokenError);
});

it('goes on with the keys it has while the endpoint is down', async () => {
  const alice = await signer('ES256', 'k1');
  const { verifier, state } = await keySet(alice);
  await verifier.verify(await token(alice));
  state.status = 500;
  pass(3_600_000);
  expect((await verifier.verify(await token(alice, { kid: 'k1' }, 'bob'))).user).toBe('bob');
});

async function failure(jwksUrl: string): Promise<unknown> {
  const verifier = new TokenVerifier({ auth: { jwksUrl } });
  return verifier.verify(await token(await signer('ES256', 'k1'))).catch((error: unknown) => error);
}

describe('a key set that cannot be read', () => {
  it('is 503, not 401: refused connection, error status, not JSON, no key set, redirect', async () => {
    const urls = [
      'http://127.0.0.1:1/jwks',
      await serve((_request, response) => response.writeHead(500).end()),
      await serve((_request, response) => response.end('<html>')),
      await serve((_request, response) => response.end('{"keys":7}')),
      await serve((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()),
    ];
    for (const url of urls) {
      const error = await failure(url);
      expect(error).toBeInstanceOf(KeySourceError);
      expect(problemOfToken(error).status).toBe(503);
    }
  });

  it('is waited for at most 3 s, and not by everybody in turn', async () => {
    let requests = 0;
    const isAsked = new EventEmitter();
    const jwksUrl = await serve(() => {
      requests += 1;
      isAsked.emit('once');
    });
    const wait = new AbortController();
    const waits = jest.spyOn(AbortSignal, 'timeout').mockReturnValue(wait.signal);
    const verifier = new TokenVerifier({ auth: { jwksUrl } });
    const alice = await signer('ES256', 'k1');
    const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => token(alice, {}, sub)));
    const asked = once(isAsked, 'once');
    const verifying = Promise.allSettled(tokens.map((each) => verifier.verify(each)));
    await asked;
    // The pause after a failure does not end by itself here.
    jest.spyOn(performance, 'now').mockReturnValue(performance.now());
    wait.abort(new DOMException('The 3 s are over.', 'TimeoutError'));
    const outcomes = await verifying;
    expect(waits).toHaveBeenCalledWith(3_000);
    expect(
      outcomes.every((each) => each.status === 'rejected' && each.reason instanceof KeySourceError),
    ).toBe(true);
    await expect(verifier.verify(await token(alice))).rejects.toBeInstanceOf(KeySourceError);
    expect(requests).toBe(1);
  });

  it('is asked again when it is back', async () => {
    const alice = await signer('ES256', 'k1');
    const { verifier, state } = await keySet(alice);
    state.status = 503;
    await expect(verifier.verify(await token(alice))).rejects.toBeInstanceOf(KeySourceError);
    state.status = 200;
    pass(1100);
    expect((await verifier.verify(await token(alice))).user).toBe('alice');
  });
});
