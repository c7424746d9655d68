/** The figures of docs/PERFORMANCE.md: by scenario, then by row, the median of Posthorn. */
export type Measured = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Reads them from the page's tables, so that the estimate cannot differ from the measurement. */
export function readMeasured(page: string): Measured {
  const measured = new Map<string, Map<string, number>>();
  let rows: Map<string, number> | undefined;
  for (const line of page.split('\n')) {
    const scenario = /^### (\S+)$/.exec(line)?.[1];
    if (scenario !== undefined) {
      rows = new Map();
      measured.set(scenario, rows);
    }
    const [, label, cell] = line.split('|').map((text) => text.trim());
    const value = Number(/^[\d,.]+/.exec(cell ?? '')?.[0].replaceAll(',', ''));
    if (label !== undefined && label !== '' && Number.isFinite(value)) rows?.set(label, value);
  }
  return measured;
}

/** One figure. @throws Error if the page does not have it */
export function figureOf(measured: Measured, scenario: string, row: string): number {
  const value = measured.get(scenario)?.get(row);
  if (value === undefined)
    throw new Error(`docs/PERFORMANCE.md has no figure "${row}" of the scenario "${scenario}"`);
  return value;
}
