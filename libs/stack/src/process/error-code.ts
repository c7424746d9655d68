/** The `code` of a system error: `EEXIST`. No `instanceof`: jest's tests have an `Error` of their own. */
export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
