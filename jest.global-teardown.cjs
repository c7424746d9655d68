module.exports = async () => {
  await globalThis.posthornTestTemplate?.drop();
  await globalThis.posthornTestStores?.stop();
};
