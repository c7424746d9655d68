import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createRandom } from '../random';
import { launchOf } from '../world/launch';
import { pointVariants } from './fault-points';
import { createMark, type Mark } from './mark';

const REPOSITORY = join(__dirname, '..', '..', '..');
/** What a service ends with that has no settings: it was loaded. */
const EX_CONFIG = 78;

let mark: Mark;

beforeEach(() => {
  mark = createMark();
});

afterEach(() => mark.remove());

it.each(pointVariants)('$id changes a piece that the build has, and it can be loaded then', (variant) => {
  const mutation = variant.mutation(mark, createRandom(1));
  const { env, execArgv } = launchOf({ mutations: [mutation] });
  const file = join(REPOSITORY, mutation.file);
  const { status, stderr } = spawnSync(process.execPath, [...execArgv, file], { encoding: 'utf8', env });
  const expected = file.endsWith('main.js') ? EX_CONFIG : 0;
  expect({ status, stderr }).toMatchObject({ status: expected });
});

it('a mark counts the passes of its code, also once it is removed', () => {
  expect(mark.count()).toBe(0);
  spawnSync(process.execPath, ['-e', `${mark.code} ${mark.code}`]);
  expect(mark.count()).toBe(2);
  mark.remove();
  expect(mark.count()).toBe(2);
});
