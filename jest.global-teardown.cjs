module.exports = async () => {
  await globalThis.posthornTestStores?.stop();
};
