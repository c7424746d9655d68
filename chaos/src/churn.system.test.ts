import { createTestDatabase, fromGlobalSetup } from '@posthorn/testing';
import { runChurn } from './churn/run-churn';

const CONNECTS = 600;
/** So few connects say nothing of memory, but that it is not lost by the megabyte; `pnpm churn` looks closer. */
const MAY_GROW = 0.5;

it('connections that come and go leave nothing: no session, no socket, no timer, no presence', async () => {
  const database = await createTestDatabase();
  try {
    const { findings, outcomes } = await runChurn({
      connects: CONNECTS,
      warmUp: CONNECTS,
      seed: 1,
      mayGrow: MAY_GROW,
      databaseUrl: database.url,
      redisUrl: fromGlobalSetup('POSTHORN_TEST_REDIS_URL'),
    });
    expect(findings.filter(({ isGood }) => !isGood)).toEqual([]);
    expect([...outcomes.keys()].sort()).toEqual([
      'answered 401',
      'closed',
      'cut in the request',
      'cut in the upgrade',
      'ended',
      'reset',
      'taken over',
    ]);
  } finally {
    await database.drop();
  }
});
