import type { FuzzCase } from './fuzz-case';

/** A case that went wrong. `case` is null if no case can be blamed. */
export interface Failure {
  case: FuzzCase | null;
  reason: string;
}

const SHOWN_BYTES = 600;
const MAX_FAILURES = 25;

/** Counts the results of cases and reports those that went wrong. */
export class Report {
  readonly failures: Failure[] = [];
  /** By lane and outcome: `bodies 201`, `frames ok`. */
  readonly outcomes = new Map<string, number>();
  /** Answers with 503. They promise nothing, but with all stores reachable there should be almost none. */
  unavailable = 0;
  done = 0;
  readonly #say: (text: string) => void;
  readonly #replay: string;

  /** @param replay the command without the number of the case */
  constructor(say: (text: string) => void, replay: string) {
    this.#say = say;
    this.#replay = replay;
  }

  count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** Whether so much went wrong that continuing shows nothing new. */
  get isHopeless(): boolean {
    return this.failures.length >= MAX_FAILURES;
  }

  fail(wrong: FuzzCase | null, reason: string): void {
    if (this.isHopeless) return;
    this.failures.push({ case: wrong, reason });
    if (wrong === null) {
      this.#say(`✗ ${reason}\n`);
      return;
    }
    const { number, lane, what } = wrong;
    this.#say(
      `✗ case ${number} (${lane}: ${what}): ${reason}\n  ${this.#replay} --from ${number} --cases 1\n  ${shown(bytesOf(wrong))}\n`,
    );
  }
}

function bytesOf(wrong: FuzzCase): Buffer {
  if (wrong.lane === 'bodies') return wrong.bytes;
  if (wrong.lane !== 'frames') return Buffer.concat(wrong.writes);
  if (wrong.kind === 'wire') return wrong.bytes;
  return Buffer.from(wrong.text({ ids: ['ID'], token: 'TOKEN', strangersToken: 'TOKEN' }));
}

/** Bytes as JSON text in Latin-1: exact, and readable if they are ASCII. */
function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1', 0, SHOWN_BYTES));
  const safe = text.replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'JWT');
  return bytes.length > SHOWN_BYTES ? `${safe} … (${bytes.length} bytes)` : `${safe} (${bytes.length} bytes)`;
}
