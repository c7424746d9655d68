import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TokenVerifier } from '@posthorn/runtime';
import { freePort } from '@posthorn/stack';
import { root } from '../docs/repository';
import { callCli, startCli } from './cli.fixture';

const secret = 'a secret of the tests, 32 bytes or more';
const env = {
  AUTH_JWT_SECRET: secret,
  POSTHORN_API: 'http://127.0.0.1:3',
  POSTHORN_GATEWAY: 'ws://127.0.0.1:4',
};
const own = { 'X-Posthorn-Demo': '1' };

it('serves the page for any deployment, with tokens for alice and bob and nothing that could break it', async () => {
  const port = String(await freePort());
  // However the folder is written.
  const page = `${join(root, 'demo', 'dist')}/`;
  const command = startCli(['demo', '--port', port, '--page', page], { env });
  try {
    if (command.stdout === null) throw new Error('a command without an output');
    const [url] = (await once(createInterface(command.stdout), 'line')) as [string];
    expect(url).toBe(`http://127.0.0.1:${port}`);

    const answer = await fetch(url);
    const html = await answer.text();
    expect(html).toContain('<title>');
    const [, script] = /<script[^>]* src="\.(\/[^"]+)"/.exec(html) ?? [];
    expect((await fetch(`${url}${script}`)).status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toContain(
      "connect-src 'self' http://127.0.0.1:3 ws://127.0.0.1:4;",
    );
    expect(await (await fetch(`${url}/stack.json`, { headers: own })).json()).toEqual({
      api: 'http://127.0.0.1:3',
      gateways: ['ws://127.0.0.1:4'],
      can: { kill: false, wipe: false },
    });
    const token = await (await fetch(`${url}/tokens/bob`, { headers: own })).text();
    expect((await new TokenVerifier({ auth: { secret } }).verify(token)).user).toBe('bob');

    const second = await callCli(['demo', '--port', port], { env });
    expect(second).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^the page cannot be served: .*EADDRINUSE/),
    });

    const refused = async (path: string, init: RequestInit): Promise<number> =>
      (await fetch(`${url}${path}`, init)).status;
    expect(await refused('/tokens/carol', { headers: own })).toBe(404);
    expect(await refused('/tokens/bob', {})).toBe(403);
    expect(await refused('/gateways/0/kill', { method: 'POST', headers: own })).toBe(404);
    expect(await refused('/redis/wipe', { method: 'POST', headers: own })).toBe(404);
  } finally {
    command.kill('SIGTERM');
    if (command.exitCode === null) await once(command, 'exit');
  }
  expect(command.exitCode).toBe(130);
});

it('says what is wrong: a folder without the page, a port that is none, no secret', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-cli-'));
  try {
    writeFileSync(join(folder, 'other.html'), '');
    const [page, port, none] = await Promise.all([
      callCli(['demo', '--page', folder], { env }),
      callCli(['demo', '--port', '99999'], { env }),
      callCli(['demo'], { env: {} }),
    ]);
    expect([page.code, port.code, none.code]).toEqual([64, 64, 78]);
    expect(page.err).toContain(`there is no page in ${folder}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
