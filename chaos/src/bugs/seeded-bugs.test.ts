import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import type { Invariant, Verdict } from '../check/verdict';
import type { Mutation } from '../world/chaos-world';
import { isExpected, type SeededBug, seededBugs } from './seeded-bugs';

const ROOT = join(__dirname, '..', '..', '..');

function source(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

const mutations = seededBugs.flatMap(({ name, mutations: all = [] }) =>
  all.map((mutation): [string, Mutation] => [`${name}: ${mutation.file}`, mutation]),
);

describe('the bugs on purpose', () => {
  it.each(mutations)('fit the build (%s)', (_, { file, find }) => {
    expect(source(file).split(find)).toHaveLength(2);
  });

  it.each(seededBugs.map((bug) => [bug.name, bug] as const))('are still JavaScript (%s)', (_, bug) => {
    const sources = new Map<string, string>();
    for (const { file, find, replace } of bug.mutations ?? [])
      sources.set(
        file,
        (sources.get(file) ?? source(file)).replace(find, () => replace),
      );
    for (const [file, code] of sources)
      expect(() => new Script(Module.wrap(code), { filename: file })).not.toThrow();
  });

  it.each(seededBugs.map((bug) => [bug.name, bug] as const))('break something (%s)', (_, bug) => {
    expect(bug.expected).not.toHaveLength(0);
    expect(bug.services !== undefined || bug.sql !== undefined).toBe(true);
    expect(bug.services === undefined).toBe(bug.mutations === undefined);
  });

  it('have names of their own', () => {
    expect(new Set(seededBugs.map(({ name }) => name)).size).toBe(seededBugs.length);
  });

  it('are noticed when everything is broken that they break', () => {
    const bug: SeededBug = { name: 'a bug', expected: ['order', 'store'] };
    const found = (...broken: Invariant[]): Pick<Verdict, 'violations'> => ({
      violations: broken.map((invariant) => ({ invariant, count: 1, witnesses: [] })),
    });
    expect(isExpected(bug, found('order', 'store', 'liveness'))).toBe(true);
    expect(isExpected(bug, found('order'))).toBe(false);
    expect(isExpected(bug, found())).toBe(false);
  });
});
