import { readClaims, refreshInMs, TokenSource } from './token-source.ts';

function jwt(claims: object): string {
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

const inS = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

describe('TokenSource', () => {
  it('§3.2: asks once for several at once, and again only when the token ends or was refused', async () => {
    let asked = 0;
    const ttls = [3_600, 4, 3_600];
    const tokens = new TokenSource(
      async () => jwt({ sub: 'alice', exp: inS(ttls[asked++] ?? 0), n: asked }),
      () => undefined,
    );
    const [first, same] = await Promise.all([tokens.get(), tokens.get()]);
    expect(same).toBe(first);
    expect(await tokens.get()).toBe(first);
    tokens.refuse('another');
    expect(asked).toBe(1);
    tokens.refuse(first);
    const second = await tokens.get();
    expect(asked).toBe(2);
    // 4 s are too few for anything new.
    expect(await tokens.get()).not.toBe(second);
    expect(asked).toBe(3);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('signed out')), 'no token: signed out'],
    ['gives nothing', async () => '', 'no token: the function must return a JWT as a string'],
    ['gives an object', async () => ({}) as string, 'no token: the function must return a JWT as a string'],
  ])('says what is wrong where the function %s', async (_, ask, message) => {
    const tokens = new TokenSource(ask, () => undefined);
    await expect(tokens.get()).rejects.toMatchObject({ source: 'token', message });
  });
});

describe('readClaims', () => {
  it('reads user and end, and nothing of what it cannot read', () => {
    expect(readClaims(jwt({ sub: 'zoé>?', exp: 2 }))).toMatchObject({ endsAtMs: 2_000 });
    expect(readClaims(jwt({ sub: 'alice', exp: 2 }))).toEqual({ user: 'alice', endsAtMs: 2_000 });
    expect([readClaims('opaque'), readClaims('a.b.c'), readClaims('a.bnVsbA.c')]).toEqual([{}, {}, {}]);
  });
});

describe('refreshInMs', () => {
  it('§5.6: is early enough for long tokens and short ones, and never at once', () => {
    const at = (leftMs: number): number | undefined =>
      refreshInMs({ endsAtMs: 1_000_000 + leftMs }, 1_000_000);
    expect([at(3_600_000), at(10_000), at(500), at(-5_000)]).toEqual([3_540_000, 8_000, 1_000, 1_000]);
    expect(refreshInMs({}, 0)).toBeUndefined();
  });
});
