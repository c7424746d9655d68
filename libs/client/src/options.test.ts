import { type ClientOptions, readOptions } from './options.ts';

const token = async (): Promise<string> => 'jwt';

describe('readOptions', () => {
  it.each([
    ['wss://a.example', undefined, 'wss://a.example/v1/connect', 'https://a.example'],
    [
      'https://a.example:8443/chat/',
      undefined,
      'wss://a.example:8443/chat/v1/connect',
      'https://a.example:8443',
    ],
    [
      'ws://127.0.0.1:3001/v1/connect',
      'http://127.0.0.1:3000/',
      'ws://127.0.0.1:3001/v1/connect',
      'http://127.0.0.1:3000',
    ],
  ])('%s and %s lead to %s and %s', (url, api, connectUrl, apiUrl) => {
    const options: ClientOptions = { url, token, ...(api === undefined ? {} : { api }) };
    expect(readOptions(options)).toMatchObject({ url: connectUrl, api: apiUrl, device: 'default' });
  });

  it.each([
    [{ url: 'chat.example.com', token }, 'url must be a URL'],
    [{ url: 'ftp://chat.example.com', token }, 'url must be a URL'],
    [{ url: 'wss://chat.example.com?token=x', token }, 'neither a query nor a fragment'],
    [{ url: 'wss://a.example', api: '/api', token }, 'api must be a URL'],
    [{ url: 'wss://a.example', token, device: 'my phone' }, 'device must be 1 to 64 characters'],
    [{ url: 'wss://a.example', token: 'jwt' as never }, 'token must be a function'],
  ])('refuses %j: %s', (options, message) => {
    expect(() => readOptions(options)).toThrow(message);
  });
});
