import { createRandom, type Random } from '../random';

/** The kinds of transport for cases. Each has its own runners. `bodies` and `raw` together are `--only http`. */
export const LANES = ['bodies', 'raw', 'upgrade', 'frames'] as const;
export type Lane = (typeof LANES)[number];

/** The fields of every case. They follow from the seed and the case's number. */
interface CaseBase {
  readonly number: number;
  /** The change, in a few words. */
  readonly what: string;
}

/** A complete HTTP request with a correct length. It shares its connection with others. */
export interface BodyCase extends CaseBase {
  readonly lane: 'bodies';
  readonly method: string;
  readonly bytes: Buffer;
  /** The correct statuses; null if only a parser could tell. */
  readonly expected: readonly number[] | null;
  /** The body as JSON, if a 201 must return the same text and data. */
  readonly echo: string | null;
}

/** Bytes for a connection of their own. */
export interface RawCase extends CaseBase {
  readonly lane: 'raw' | 'upgrade';
  /** Written one after another, with a turn of the event loop in between. */
  readonly writes: readonly Buffer[];
  /** The methods of the requests that get an answer, in order; empty if no answer must come. */
  readonly answers: readonly string[];
  readonly expected: readonly number[] | null;
  /** What the client does after the last write: it waits for the answers, cuts the connection, or closes its side. */
  readonly ending: 'wait' | 'reset' | 'fin';
  /** Whether the bytes may contain a complete send whose answer nobody reads. */
  readonly mayStore: boolean;
  /** For upgrades: the user that the welcome must name. */
  readonly user?: string;
}

/** What frame cases need to know about their connection. */
export interface FrameSelf {
  /** The messages in the user's inbox, by `seq` from 1. */
  readonly ids: readonly string[];
  readonly token: string;
  readonly strangersToken: string;
}

/** One text frame on a connection that stays open. */
export interface TextCase extends CaseBase {
  readonly lane: 'frames';
  readonly kind: 'text';
  text(self: FrameSelf): string;
  /** The answer: `ok`, `pong` or an error code; null if only a parser could tell. */
  readonly expected: string | null;
  /** The `ref` of the answer; null if it cannot be read. */
  readonly ref: string | null;
}

/** Bytes on an open connection. */
export interface WireCase extends CaseBase {
  readonly lane: 'frames';
  readonly kind: 'wire';
  readonly bytes: Buffer;
  /** The correct close codes. Empty: the connection stays open. Null: both are correct. */
  readonly closes: readonly number[] | null;
  /** Whether the client cuts the connection instead of waiting. */
  readonly isCut: boolean;
}

export type FuzzCase = BodyCase | RawCase | TextCase | WireCase;

/** The lane of a case: `bodies` 30 %, `raw` 6 %, `upgrade` 6 %, `frames` 58 %. */
export function laneOf(seed: number, number: number): Lane {
  const share = hash(seed ^ 0x5bd1e995, number) % 100;
  if (share < 30) return 'bodies';
  if (share < 36) return 'raw';
  return share < 42 ? 'upgrade' : 'frames';
}

/** The random choices of one case. */
export function caseRandom(seed: number, number: number): Random {
  return createRandom(hash(seed, number) | 0);
}

/** Mixes both numbers, so that neighbours are unrelated (the finalizer of MurmurHash3). */
function hash(seed: number, number: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
