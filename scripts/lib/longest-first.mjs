import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import TestSequencer from '@jest/test-sequencer';
import { TIMES } from './jest.mjs';
import { root } from './run.mjs';

/** Starts the longest test files first, so that none runs alone at the end. */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const times = JSON.parse(readFileSync(TIMES, 'utf8'));
    const secondsOf = ({ path }) => times[relative(root, path)] ?? 0;
    return [...tests].sort((a, b) => secondsOf(b) - secondsOf(a));
  }
}
