import type { HistoryEvent } from '../history/history';
import type { CheckOptions } from './check-options';
import { checkCleanEnd } from './clean-end';
import { countHistory } from './counts';
import { checkCursorSafety } from './cursor-safety';
import { findDoubts } from './doubts';
import type { Findings } from './findings';
import { checkIdempotency } from './idempotency';
import { type HistoryIndex, indexHistory } from './index-history';
import { checkLiveness } from './liveness';
import { checkNoLoss } from './no-loss';
import { checkNoMisdelivery } from './no-misdelivery';
import { checkNoPhantom } from './no-phantom';
import { checkNoSilentGap } from './no-silent-gap';
import { checkOrder } from './order';
import { checkProcesses } from './processes';
import { checkReceipts } from './receipts';
import { checkSequenceAgreement } from './sequence-agreement';
import { checkSessions } from './sessions';
import { checkStore } from './store';
import type { Invariant, Verdict } from './verdict';

const CHECKS: readonly (readonly [Invariant, (index: HistoryIndex) => Findings])[] = [
  ['no loss', checkNoLoss],
  ['no phantom', checkNoPhantom],
  ['no misdelivery', checkNoMisdelivery],
  ['sequence agreement', checkSequenceAgreement],
  ['idempotency', checkIdempotency],
  ['order', checkOrder],
  ['no silent gap', checkNoSilentGap],
  ['receipts', checkReceipts],
  ['store', checkStore],
  ['sessions', checkSessions],
  ['liveness', checkLiveness],
  ['clean end', checkCleanEnd],
  ['processes', checkProcesses],
  ['cursor safety', checkCursorSafety],
];

/**
 * Decides from a history alone whether the system kept its promises. A pure function: the same history gives the same
 * verdict.
 * @param events in the order in which they happened
 */
export function checkHistory(events: readonly HistoryEvent[], options: CheckOptions): Verdict {
  const index = indexHistory(events, options);
  const found = new Map(CHECKS.map(([invariant, check]) => [invariant, check(index)]));
  const violations = [...found].flatMap(([invariant, findings]) => findings.toViolation(invariant) ?? []);
  const doubts = findDoubts(events, index);
  return {
    verdict: violations.length > 0 ? 'invalid' : doubts.length > 0 ? 'unknown' : 'valid',
    violations,
    doubts,
    counts: countHistory(index, (invariant) => found.get(invariant)?.count ?? 0),
  };
}
