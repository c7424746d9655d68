/** The `code` of a system error: `EEXIST`. Not `instanceof`, because jest's tests have their own `Error`. */
export function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
