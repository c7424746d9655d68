/**
 * Returns the token of an `Authorization: Bearer …` header, or `null`. Pass `headersDistinct.authorization` to detect
 * a repeated header. A repeated header returns `null`, because it is unclear which one was meant.
 */
export function bearerFrom(authorization: string | readonly string[] | undefined): string | null {
  const value = typeof authorization === 'string' ? authorization : only(authorization);
  return /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(value ?? '')?.[1] ?? null;
}

function only(values: readonly string[] | undefined): string | undefined {
  return values?.length === 1 ? values[0] : undefined;
}
