import { parseRedisUrl } from './redis-url.ts';

const single = { kind: 'single', master: '', db: 0, tls: false };

test.each([
  ['redis://h', { ...single, hosts: [{ host: 'h', port: 6379 }] }],
  ['redis://h/', { ...single, hosts: [{ host: 'h', port: 6379 }] }],
  [
    'rediss://redis_1.example:1/7',
    { ...single, hosts: [{ host: 'redis_1.example', port: 1 }], db: 7, tls: true },
  ],
  ['redis://[::1]:6380', { ...single, hosts: [{ host: '::1', port: 6380 }] }],
  ['redis://:p%40ss@h', { ...single, hosts: [{ host: 'h', port: 6379 }], password: 'p@ss' }],
  ['redis://u:p:@ss@h', { ...single, hosts: [{ host: 'h', port: 6379 }], username: 'u', password: 'p:@ss' }],
  ['redis://u@h', { ...single, hosts: [{ host: 'h', port: 6379 }], username: 'u' }],
  [
    'redis+cluster://u:p@h1:1,h2,[::1]:3',
    {
      ...single,
      kind: 'cluster',
      hosts: [
        { host: 'h1', port: 1 },
        { host: 'h2', port: 6379 },
        { host: '::1', port: 3 },
      ],
      username: 'u',
      password: 'p',
    },
  ],
  ['rediss+cluster://h/0', { ...single, kind: 'cluster', hosts: [{ host: 'h', port: 6379 }], tls: true }],
  [
    'redis+sentinel://:p@h1,h2:2/my-main.1',
    {
      ...single,
      kind: 'sentinel',
      hosts: [
        { host: 'h1', port: 26_379 },
        { host: 'h2', port: 2 },
      ],
      master: 'my-main.1',
      password: 'p',
    },
  ],
  [
    'rediss+sentinel://h/main?db=3',
    { ...single, kind: 'sentinel', hosts: [{ host: 'h', port: 26_379 }], master: 'main', db: 3, tls: true },
  ],
])('§2.3: %s', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address);
});

test.each([
  ['redis', 'must be a URL like'],
  ['http://h', 'must be a URL like'],
  ['redis+other://h', 'must be a URL like'],
  ['REDIS://h', 'must be a URL like'],
  ['redis://h #', 'must be a URL like'],
  ['redis:// h', 'must be a URL like'],
  ['redis://', 'must name hosts'],
  ['redis://:hunter2@', 'must name hosts'],
  ['redis://h:hunter2', 'must name hosts'],
  ['redis://h:0', 'must name hosts'],
  ['redis://h:65536', 'must name hosts'],
  ['redis+cluster://h1,,h2', 'must name hosts'],
  ['redis+cluster://h1:1;h2:2', 'must name hosts'],
  ['redis+sentinel://[h]/m', 'must name hosts'],
  ['redis://h1,h2', 'redis+cluster://HOST:PORT,HOST:PORT'],
  ['redis://h/zero', 'only the number of a database'],
  ['redis://h?db=1', 'must not have a query'],
  ['redis+cluster://h?db=0', 'must not have a query'],
  ['redis+cluster://h/1', 'a Cluster has only database 0'],
  ['redis+cluster://h/main', 'a Cluster has only database 0'],
  ['redis+sentinel://h', 'the name of the master'],
  ['redis+sentinel://h/', 'the name of the master'],
  ['redis+sentinel://h/a/b', 'the name of the master'],
  ['redis+sentinel://h/m?db=x', 'only the number of a database'],
  ['redis+sentinel://h/m?password=hunter2', 'only the number of a database'],
  ['redis://u:%hunter2@h', 'not percent-encoded'],
])('§2.3: %s is refused, and nothing of it is shown', (url, words) => {
  expect(() => parseRedisUrl(url)).toThrow(words);
  expect(() => parseRedisUrl(url)).not.toThrow('hunter2');
});
