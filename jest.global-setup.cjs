/** Starts one Postgres and one Redis for all tests of a run. The tests find them in the environment. */
module.exports = async () => {
  const { createTemplateDatabase, startTestStores } = loadStack();
  const stores = await startTestStores(process.env);
  globalThis.posthornTestStores = stores;
  const template = await createTemplateDatabase(stores.databaseUrl);
  globalThis.posthornTestTemplate = template;
  process.env.POSTHORN_TEST_DATABASE_URL = stores.databaseUrl;
  process.env.POSTHORN_TEST_TEMPLATE = template.name;
  process.env.POSTHORN_TEST_REDIS_URL = stores.redisUrl;
};

/** Loads the build, because jest runs this file before it can read TypeScript. */
function loadStack() {
  try {
    return require('./libs/stack/dist');
  } catch (error) {
    throw new Error(`The tests need a build first: npx tsc -b (or run them with npm test).`, {
      cause: error,
    });
  }
}
