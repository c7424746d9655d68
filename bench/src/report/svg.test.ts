import { barChart, lineChart } from './svg';

describe('a chart', () => {
  it('draws the longest bar the widest, with its text', () => {
    const svg = barChart('CPU <ms>', [
      { label: 'posthorn', value: 1, min: 1, max: 1, text: '1 ms' },
      { label: 'hand-made', value: 4, min: 3, max: 4, text: '4 ms' },
    ]);
    const widths = [...svg.matchAll(/<rect x="\S+" y="\S+" width="(\S+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths).toEqual([105, 420]);
    expect(svg).toContain('CPU &lt;ms&gt;');
    expect(svg).toContain('>4 ms<');
  });

  it('draws a line through all points, spaced by their magnitude', () => {
    const svg = lineChart('sends', 'users', [
      {
        label: 'posthorn',
        points: [
          { x: 1_000, y: 10 },
          { x: 10_000, y: 5 },
          { x: 100_000, y: 10 },
        ],
      },
    ]);
    const xs = [...svg.matchAll(/<circle cx="(\S+)"/g)].map(([, x]) => Number(x));
    expect(xs).toEqual([60, 295, 530]);
    expect(svg).toContain('>100,000<');
  });

  it('is drawn of a single point, too', () => {
    expect(lineChart('t', 'x', [{ label: 'a', points: [{ x: 5, y: 0 }] }])).not.toContain('NaN');
  });
});
