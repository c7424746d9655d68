import { createTestDatabase, fromGlobalSetup } from '@posthorn/testing';
import { LANES } from './fuzz/fuzz-case';
import { runFuzz } from './fuzz/run-fuzz';

/** Enough for each way to break an input to come up, and over in seconds. */
const CASES = 2_000;
const SEED = 20_251_122;

it('hostile input ends no process, is answered as documented, and leaves nothing behind', async () => {
  const said: string[] = [];
  const database = await createTestDatabase();
  try {
    const { report, cases, accepted, canaryMessages } = await runFuzz({
      seed: SEED,
      from: 0,
      cases: CASES,
      lanes: LANES,
      replay: `pnpm fuzz --seed ${SEED}`,
      say: (text) => said.push(text),
      databaseUrl: database.url,
      redisUrl: fromGlobalSetup('POSTHORN_TEST_REDIS_URL'),
    });
    expect(said).toEqual([]);
    expect(report.failures).toEqual([]);
    expect(cases).toBe(CASES);
    expect(accepted).toBeGreaterThan(0);
    expect(canaryMessages).toBeGreaterThan(0);
  } finally {
    await database.drop();
  }
});
