/** A bar: its label, its length, and the minimum and maximum of the rounds. */
export interface Bar {
  label: string;
  value: number;
  min: number;
  max: number;
  /** The text beside the bar. */
  text: string;
}

/** A line through points, in the order of `x`. */
export interface Line {
  label: string;
  points: { x: number; y: number }[];
}

const FONT = 'font-family="system-ui, sans-serif" font-size="12"';
const INK = '#24292f';
const FAINT = '#d0d7de';
const COLORS = ['#0969da', '#8c959f', '#bf8700', '#1a7f37'];
const WIDTH = 640;

/** Horizontal bars on white, the first one in colour. `left` is the width for the labels. */
export function barChart(title: string, bars: readonly Bar[], left = 90): string {
  const [top, step, right] = [40, 30, 130];
  const most = Math.max(...bars.map(({ max }) => max), Number.MIN_VALUE);
  const at = (value: number): number => left + (value / most) * (WIDTH - left - right);
  const rows = bars.map(({ label, value, min, max, text }, nth) => {
    const y = top + nth * step;
    return [
      `<text x="${left - 8}" y="${y + 14}" text-anchor="end" fill="${INK}" ${FONT}>${escape(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${fixed(at(value) - left)}" height="20" fill="${nth === 0 ? COLORS[0] : COLORS[1]}"/>`,
      `<path d="M${fixed(at(min))} ${y + 10}H${fixed(at(max))}" stroke="${INK}"/>`,
      `<text x="${fixed(at(max) + 8)}" y="${y + 14}" fill="${INK}" ${FONT}>${escape(text)}</text>`,
    ].join('\n');
  });
  return page(title, top + bars.length * step + 6, rows);
}

/** Lines over a logarithmic x axis. The x axis starts at its smallest value, and y starts at 0. */
export function lineChart(title: string, xLabel: string, lines: readonly Line[]): string {
  const [left, right, top, bottom, height] = [60, 110, 40, 40, 240];
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const most = Math.max(...lines.flatMap(({ points }) => points.map(({ y }) => y)), Number.MIN_VALUE);
  const [low = 1, high = 1] = [xs[0], xs.at(-1)];
  const span = Math.log(high / low) || 1;
  const atX = (x: number): number => left + (Math.log(x / low) / span) * (WIDTH - left - right);
  const atY = (y: number): number => height - bottom - (y / most) * (height - top - bottom);
  const ticks = xs.map(
    (x) =>
      `<text x="${fixed(atX(x))}" y="${height - bottom + 16}" text-anchor="middle" fill="${INK}" ${FONT}>${x.toLocaleString('en-US')}</text>`,
  );
  const levels = [0, most / 2, most].map(
    (y) =>
      `<path d="M${left} ${fixed(atY(y))}H${WIDTH - right}" stroke="${FAINT}"/>\n` +
      `<text x="${left - 6}" y="${fixed(atY(y) + 4)}" text-anchor="end" fill="${INK}" ${FONT}>${Number(y.toPrecision(3)).toLocaleString('en-US')}</text>`,
  );
  const drawn = lines.map(({ label, points }, nth) => {
    const color = COLORS[nth % COLORS.length];
    const path = points
      .map(({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${fixed(atX(x))} ${fixed(atY(y))}`)
      .join('');
    const last = points.at(-1);
    const dots = points.map(
      ({ x, y }) => `<circle cx="${fixed(atX(x))}" cy="${fixed(atY(y))}" r="3" fill="${color}"/>`,
    );
    return [
      `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>`,
      ...dots,
      `<text x="${fixed(atX(last?.x ?? low) + 8)}" y="${fixed(atY(last?.y ?? 0) + 4)}" fill="${color}" ${FONT}>${escape(label)}</text>`,
    ].join('\n');
  });
  const axis = `<text x="${(WIDTH + left - right) / 2}" y="${height - 6}" text-anchor="middle" fill="${INK}" ${FONT}>${escape(xLabel)}</text>`;
  return page(title, height, [...levels, ...ticks, ...drawn, axis]);
}

function page(title: string, height: number, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="12" y="22" font-weight="bold" fill="${INK}" ${FONT}>${escape(title)}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
