import { parseOptions, UsageError } from './options';

describe('pnpm bench', () => {
  it('compares all systems without options', () => {
    const options = parseOptions([]);
    expect(options).toMatchObject({ command: 'run', rounds: 3, seconds: 5, scale: 1 });
    expect(options.systems).toEqual(['posthorn', 'hand-made', 'socket.io', 'floor']);
    expect(options.scenarios.every(({ group }) => group === 'comparison')).toBe(true);
  });

  it('takes several scenarios and systems', () => {
    const options = parseOptions(['--scenario', 'drain', '--scenario', 'idle', '--system', 'floor']);
    expect(options.scenarios.map(({ name }) => name)).toEqual(['drain', 'idle']);
    expect(options.systems).toEqual(['floor']);
  });

  it.each([
    [['--scenario', 'nothing'], '--scenario must be one of saturated, '],
    [['--system', 'nothing'], '--system must be one of posthorn, '],
    [['--rounds', '0'], '--rounds must be an integer from 1'],
    [['--seconds', '1.5'], '--seconds must be an integer from 1'],
    [['--scale', '2'], '--scale must be a number above 0'],
    [['--fast'], "Unknown option '--fast'"],
    [['watch'], 'there is no "watch"'],
  ])('refuses %j and says what is right', (args, words) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(words);
  });
});
