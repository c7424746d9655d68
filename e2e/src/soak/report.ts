/** One line of a scenario's result. If `isGood` is false, the run fails. */
export interface Finding {
  what: string;
  value: string;
  isGood?: boolean;
}

/** Prints a scenario's findings. Returns true if all are good. */
export function printFindings(title: string, findings: readonly Finding[]): boolean {
  process.stdout.write(`\n${title}\n`);
  const width = Math.max(...findings.map((finding) => finding.what.length));
  for (const { what, value, isGood } of findings) {
    const mark = isGood === undefined ? ' ' : isGood ? '✓' : '✗';
    process.stdout.write(`  ${mark} ${what.padEnd(width)}  ${value}\n`);
  }
  return findings.every((finding) => finding.isGood !== false);
}

/** The value below which `share` of the sorted values lie. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Shows the progress of a long step, at most a few times a second. A terminal shows it in one line. */
export function progress(label: string, total: number): (done: number) => void {
  let lastAt = 0;
  let isOver = false;
  return (done) => {
    const now = performance.now();
    if (isOver || (now - lastAt < (process.stdout.isTTY ? 250 : 5_000) && done < total)) return;
    isOver = done >= total;
    lastAt = now;
    process.stdout.write(
      `${process.stdout.isTTY ? '\r' : ''}  ${label}: ${done} of ${total}${process.stdout.isTTY && done < total ? '' : '\n'}`,
    );
  };
}
