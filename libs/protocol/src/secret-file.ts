/** What the environment says of one setting that may be given as a file. */
export type GivenSecret =
  | { readonly text: string | undefined; readonly file?: string }
  | { readonly fault: string; readonly file: string };

/**
 * A setting that may hold a credential, from `NAME` or from the file that `NAME_FILE` names, whose last line break does
 * not count. An empty variable counts as unset. A `fault` goes on from the setting's name and holds nothing of the file.
 *
 * @param readFile gives a file's text, or throws
 */
export function findSecret(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  readFile: (path: string) => string,
): GivenSecret {
  const [text, file] = [env[name] || undefined, env[secretFileOf(name)]];
  if (file === undefined || file === '') return { text };
  if (text !== undefined) return { fault: `is set beside ${secretFileOf(name)}: set one of the two`, file };
  try {
    const read = readFile(file).replace(/\r?\n$/, '');
    return read === ''
      ? { fault: `is to come from ${secretFileOf(name)}, and that file is empty: ${file}`, file }
      : { text: read, file };
  } catch (error) {
    const hasCode = typeof error === 'object' && error !== null && 'code' in error;
    const why = hasCode ? String(error.code) : 'no text';
    return { fault: `is to come from ${secretFileOf(name)}, which cannot be read (${why}): ${file}`, file };
  }
}

/** The variable that names the file of a setting. */
export function secretFileOf(name: string): string {
  return `${name}_FILE`;
}
