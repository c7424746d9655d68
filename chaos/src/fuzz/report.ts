import type { FuzzCase } from './fuzz-case';

/** The case went wrong, or something did that no case can be blamed for (`case` is null then). */
export interface Failure {
  case: FuzzCase | null;
  reason: string;
}

const SHOWN_BYTES = 600;
const MAX_FAILURES = 25;

/** Counts what came of the cases, and tells of those that went wrong. */
export class Report {
  readonly failures: Failure[] = [];
  /** By lane and outcome: `bodies 201`, `frames ok`. */
  readonly outcomes = new Map<string, number>();
  /** Answers with 503: they promise nothing, but with everything in reach there should hardly be one. */
  unavailable = 0;
  done = 0;
  readonly #say: (text: string) => void;
  readonly #replay: string;

  /** @param replay the command with everything but the number of the case */
  constructor(say: (text: string) => void, replay: string) {
    this.#say = say;
    this.#replay = replay;
  }

  count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** True once so much went wrong that going on shows nothing new. */
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

/** Bytes as JSON text in Latin-1: exact, and readable where they are ASCII. */
function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1', 0, SHOWN_BYTES));
  const safe = text.replaceAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'JWT');
  return bytes.length > SHOWN_BYTES ? `${safe} … (${bytes.length} bytes)` : `${safe} (${bytes.length} bytes)`;
}
