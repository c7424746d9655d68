import { createServer } from 'node:http';

/** The application around a client. It gives out tokens and serves a page with its script. */
export interface App {
  /** `http://127.0.0.1:PORT`, which is also the page's origin. */
  url: string;
  /** The content of `/page.js` from now on. */
  script: string;
  close(): Promise<void>;
}

const PAGE = `<!doctype html><title>Messages</title><ol id="messages"></ol><script type="module" src="/page.js"></script>`;

/** Starts one on a free port. */
export async function startApp(token: () => Promise<string>): Promise<App> {
  const answers: Record<string, () => Promise<[type: string, body: string]>> = {
    '/': async () => ['text/html', PAGE],
    '/page.js': async () => ['text/javascript', app.script],
    '/token': async () => ['text/plain', await token()],
  };
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer === undefined) {
      response.writeHead(404).end();
      return;
    }
    answer().then(
      ([type, body]) => response.setHeader('content-type', type).end(body),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the application has no port');
  const app: App = {
    url: `http://127.0.0.1:${address.port}`,
    script: '',
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
  return app;
}
