import { createRandom, type Random } from '../random';

/** The ways on which cases travel; each has runners of its own. `bodies` and `raw` together are `--only http`. */
export const LANES = ['bodies', 'raw', 'upgrade', 'frames'] as const;
export type Lane = (typeof LANES)[number];

/** What every case has. It follows from the seed and its number alone. */
interface CaseBase {
  readonly number: number;
  /** What was done to it, in a few words. */
  readonly what: string;
}

/** A whole HTTP request with a correct length, which shares its connection with others. */
export interface BodyCase extends CaseBase {
  readonly lane: 'bodies';
  readonly method: string;
  readonly bytes: Buffer;
  /** Statuses that are right; null where it takes a parser to tell. */
  readonly expected: readonly number[] | null;
  /** The body as JSON, where a 201 has to bring the same text and data back. */
  readonly echo: string | null;
}

/** Bytes for a connection of their own. */
export interface RawCase extends CaseBase {
  readonly lane: 'raw' | 'upgrade';
  /** Written one after the other, with a turn of the event loop between. */
  readonly writes: readonly Buffer[];
  /** The methods of the requests that get an answer, in order; empty where none has to come. */
  readonly answers: readonly string[];
  readonly expected: readonly number[] | null;
  /** What the client does after the last write: waits for the answers, cuts the connection, or closes its side. */
  readonly ending: 'wait' | 'reset' | 'fin';
  /** True where the bytes may hold a whole send, whose answer nobody reads. */
  readonly mayStore: boolean;
  /** Upgrades only: whom the welcome has to name. */
  readonly user?: string;
}

/** What the frame cases of one connection need to know of it. */
export interface FrameSelf {
  /** Messages in the user's inbox, by `seq` from 1. */
  readonly ids: readonly string[];
  readonly token: string;
  readonly strangersToken: string;
}

/** One text frame on a connection that lives on. */
export interface TextCase extends CaseBase {
  readonly lane: 'frames';
  readonly kind: 'text';
  text(self: FrameSelf): string;
  /** The answer: `ok`, `pong`, the code of an error, or null where it takes a parser to tell. */
  readonly expected: string | null;
  /** The `ref` that the answer carries; null where it cannot be read. */
  readonly ref: string | null;
}

/** Bytes on a connection that is open already. */
export interface WireCase extends CaseBase {
  readonly lane: 'frames';
  readonly kind: 'wire';
  readonly bytes: Buffer;
  /** The close codes that are right; empty: the connection lives on; null: either. */
  readonly closes: readonly number[] | null;
  /** The client cuts the connection instead of waiting. */
  readonly isCut: boolean;
}

export type FuzzCase = BodyCase | RawCase | TextCase | WireCase;

/** In which lane a case is: `bodies` 30 %, `raw` 6 %, `upgrade` 6 %, `frames` 58 %. */
export function laneOf(seed: number, number: number): Lane {
  const share = hash(seed ^ 0x5bd1e995, number) % 100;
  if (share < 30) return 'bodies';
  if (share < 36) return 'raw';
  return share < 42 ? 'upgrade' : 'frames';
}

/** The choices of one case. */
export function caseRandom(seed: number, number: number): Random {
  return createRandom(hash(seed, number) | 0);
}

/** Mixes both so that neighbours have nothing in common (the finalizer of MurmurHash3). */
function hash(seed: number, number: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
