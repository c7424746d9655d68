import { numberAfter } from './dialect';

/** As long as the texts in published comparisons. */
const TEXT_BYTES = 256;

const PHASE = '#p';
const NUMBER = '.n';

/** A text that identifies its measurement and its message. */
export function messageText(phase: number, number: number): string {
  return `${PHASE}${phase}${NUMBER}${number}.`.padEnd(
    TEXT_BYTES,
    'the quick brown fox jumps over the lazy dog ',
  );
}

/** Reads what a text in a frame identifies. */
export function readMessageText(frame: string): { phase: number; number: number } {
  return { phase: numberAfter(frame, PHASE), number: numberAfter(frame, NUMBER) };
}
