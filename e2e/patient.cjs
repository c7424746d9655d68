/**
 * A preload (`node --require`). The service waits for the stores in PATIENT_WITH (`postgres,redis`) longer than any
 * test takes, so that a busy machine does not hit the product's time limits. Tests beside the sources cover those
 * limits.
 */
const { DATABASE_WAITS } = require('../libs/inbox/dist');
const { REDIS_WAITS } = require('../libs/routing/dist');
const { SEND_API_WAITS } = require('../services/send-api/dist/send-api-waits');

const PATIENT_MS = 200_000;

const stores = process.env.PATIENT_WITH.split(',');
if (stores.includes('postgres')) {
  lengthen(DATABASE_WAITS, ['connectMs', 'statementMs', 'queryMs']);
  lengthen(SEND_API_WAITS, ['postgresMs']);
}
if (stores.includes('redis')) {
  lengthen(REDIS_WAITS, ['commandMs', 'limitMs', 'routeMs', 'livenessMs']);
}

function lengthen(waits, names) {
  for (const name of names) {
    if (typeof waits[name] !== 'number') throw new Error(`there is no wait ${name} any more`);
    waits[name] = PATIENT_MS;
  }
}
