import { findSecret } from './secret-file';

const files: Record<string, string> = {
  '/run/secrets/url': 'postgres://u:p@h/d\n',
  '/run/secrets/crlf': 'two\nlines\r\n',
  '/run/secrets/empty': '\n',
};
const readFile = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  return text;
};
const find = (env: Record<string, string>): object => findSecret(env, 'DATABASE_URL', readFile);

it('takes the variable, or the file without its last line break', () => {
  expect(find({})).toEqual({ text: undefined });
  expect(find({ DATABASE_URL: 'x', DATABASE_URL_FILE: '' })).toEqual({ text: 'x' });
  expect(find({ DATABASE_URL: '', DATABASE_URL_FILE: '/run/secrets/url' })).toEqual({
    text: 'postgres://u:p@h/d',
    file: '/run/secrets/url',
  });
  expect(find({ DATABASE_URL_FILE: '/run/secrets/crlf' })).toMatchObject({ text: 'two\nlines' });
});

it.each([
  [{ DATABASE_URL: 'x', DATABASE_URL_FILE: '/run/secrets/url' }, /^is set beside DATABASE_URL_FILE/],
  [{ DATABASE_URL_FILE: '/run/secrets/none' }, /cannot be read \(ENOENT\): \/run\/secrets\/none$/],
  [{ DATABASE_URL_FILE: '/run/secrets/empty' }, /that file is empty/],
])('says what is wrong, and nothing of a secret: %j', (env, fault) => {
  expect(find(env)).toEqual({ fault: expect.stringMatching(fault), file: env.DATABASE_URL_FILE });
  expect(JSON.stringify(find(env))).not.toContain('u:p');
});
