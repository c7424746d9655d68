/** The value of a setting that may come from a file, or a fault. */
export type GivenSecret =
  | { readonly text: string | undefined; readonly file?: string }
  | { readonly fault: string; readonly file: string };

/**
 * Reads a setting that may hold a credential from `NAME`, or from the file that `NAME_FILE` names (PROTOCOL §2.3). An
 * empty variable counts as unset. The last line break of the file is ignored. A `fault` is the rest of a sentence that
 * begins with the name of the setting; it never contains the content of the file.
 *
 * @param readFile returns the text of a file, or throws
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
      ? { fault: `should come from ${secretFileOf(name)}, but that file is empty: ${file}`, file }
      : { text: read, file };
  } catch (error) {
    const hasCode = typeof error === 'object' && error !== null && 'code' in error;
    const why = hasCode ? String(error.code) : 'no text';
    return {
      fault: `should come from ${secretFileOf(name)}, but that file cannot be read (${why}): ${file}`,
      file,
    };
  }
}

/** The name of the variable that holds the path of the file. */
export function secretFileOf(name: string): string {
  return `${name}_FILE`;
}
