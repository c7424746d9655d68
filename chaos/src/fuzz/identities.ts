import { createHmac } from 'node:crypto';
import type { Random } from '../random';

/** Senders and recipients of fuzzed requests. The canary uses other names. */
export const FUZZ_USERS = Array.from({ length: 64 }, (_, index) => `fz-${index}`);
/** A user that may send for others. */
export const ROBOT = 'fz-robot';

/** Makes valid and invalid tokens quickly, without a clock of its own. */
export class Identities {
  readonly #secret: string;
  readonly #good = new Map<string, string>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** A valid token of this user, the same each time. */
  token(user: string): string {
    const known = this.#good.get(user);
    if (known !== undefined) return known;
    const token = this.sign({
      sub: user,
      exp: inSeconds(86_400),
      ...(user === ROBOT ? { scope: 'send:as' } : {}),
    });
    this.#good.set(user, token);
    return token;
  }

  sign(claims: object, header: object = { alg: 'HS256', typ: 'JWT' }, secret = this.#secret): string {
    const input = `${base64url(header)}.${base64url(claims)}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  }

  /** A value for `Bearer` that must be refused. */
  badToken(random: Random): string {
    const sub = random.pick(FUZZ_USERS);
    const exp = inSeconds(3_600);
    const good = this.token(sub);
    const [head = '', claims = '', signature = ''] = good.split('.');
    const subs: readonly unknown[] = [
      7,
      null,
      true,
      {},
      [],
      ['fz-1'],
      '',
      'a b',
      'x'.repeat(129),
      'fz-1\u0000',
      { toString: 1 },
    ];
    return random.pick<() => string>([
      () => '',
      () => 'x',
      () => good.slice(0, random.int(1, good.length - 1)),
      () => `${good}.${signature}`,
      () => `${head}.${claims}.`,
      () => `${head}.${claims}.${signature.split('').toReversed().join('')}`,
      () => `${base64url({ alg: 'none' })}.${claims}.`,
      () => `${base64url({ alg: 'HS512' })}.${claims}.${signature}`,
      () => this.sign({ sub, exp: inSeconds(-60) }),
      () => this.sign({ sub }),
      () => this.sign({ sub, exp: String(exp) }),
      () => this.sign({ sub, exp: 1e300 * random.pick([-1, 0]) }),
      () => this.sign({ sub, exp, nbf: inSeconds(600) }),
      () => this.sign({ sub: random.pick(subs), exp }),
      () => this.sign({ exp }),
      () => this.sign({ sub, exp }, { alg: 'HS256', crit: ['x'], x: 1 }),
      () => this.sign({ sub, exp }, { alg: 'HS256' }, 'another secret of thirty-two bytes or more'),
      () => 'a.b.c',
      () => `${'a'.repeat(random.int(8_000, 9_000))}.b.c`,
    ])();
  }
}

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds;
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
