import { numberAfter } from './dialect';

/** As long as the texts of the published comparisons. */
const TEXT_BYTES = 256;

const PHASE = '#p';
const NUMBER = '.n';

/** A text that says which message of which measurement it is. */
export function messageText(phase: number, number: number): string {
  return `${PHASE}${phase}${NUMBER}${number}.`.padEnd(
    TEXT_BYTES,
    'the quick brown fox jumps over the lazy dog ',
  );
}

/** What a text within a frame says. */
export function readMessageText(frame: string): { phase: number; number: number } {
  return { phase: numberAfter(frame, PHASE), number: numberAfter(frame, NUMBER) };
}
