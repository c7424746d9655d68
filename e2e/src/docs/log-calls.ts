/** One line that the code logs: its constant message and the names of its fields. */
export interface LogCall {
  message: string;
  fields: string[];
}

const CALL = /\blog(?:\.(?:error|warn|info|debug|log)|\[[^\]]+\])\(/g;
const LITERAL = /^'([^']*)'$/;

/** Every call of a logger in a source, read as text. Fails if a call has no constant message. */
export function logCalls(source: string): LogCall[] {
  return [...source.matchAll(CALL)].map(({ 0: head, index }) => {
    const args = partsIn(source, index + head.length - 1);
    const at = args.findIndex((arg) => LITERAL.test(arg));
    const message = LITERAL.exec(args[at] ?? '')?.[1];
    if (message === undefined) throw new Error(`a log line without a constant message: ${args.join(', ')}`);
    return { message, fields: args.slice(at + 1).flatMap((arg) => fieldsOf(arg, source)) };
  });
}

/** The fields of an object literal, or of a constant that is spread or passed instead. */
function fieldsOf(text: string, source: string): string[] {
  if (text.startsWith('{')) {
    return partsIn(text, 0).flatMap((part) =>
      part.startsWith('...') ? fieldsOf(part.slice(3), source) : [part.split(':', 1)[0]?.trim() ?? ''],
    );
  }
  const constant = source.indexOf(`const ${text} = {`);
  // It is a parameter. Its fields are found where the object is created.
  return constant === -1 ? [] : fieldsOf(source.slice(source.indexOf('{', constant)), source);
}

/** The parts between the commas of the bracket that starts at `start`. */
function partsIn(text: string, start: number): string[] {
  const parts = [''];
  let depth = 1;
  let quote = '';
  for (const char of text.slice(start + 1)) {
    if (quote !== '') quote = char === quote ? '' : quote;
    else if ('\'"`'.includes(char)) quote = char;
    else if ('({['.includes(char)) depth++;
    else if (')}]'.includes(char)) depth--;
    if (depth === 0) return parts.map((part) => part.trim()).filter((part) => part !== '');
    if (char === ',' && depth === 1 && quote === '') parts.push('');
    else parts.push((parts.pop() ?? '') + char);
  }
  throw new Error('a bracket that does not end');
}
