import { DEFAULT_DEVICE, DEVICE_ID_RULE, isDeviceId } from '@posthorn/protocol';
import type { WebSocketClass } from './connection/web-socket.ts';
import { memoryStore } from './stores/memory-store.ts';
import type { Cursor, Store } from './stores/store.ts';

/** What `connect` takes. */
export interface ClientOptions {
  /** The gateways: `wss://chat.example.com`, also with a path before `/v1/connect`. */
  url: string;
  /** send-api: `https://api.example.com`. The origin of `url` unless given. */
  api?: string;
  /** Asked for a JWT whenever one is needed: at the start, before the one at hand ends, after it was refused. */
  token: () => Promise<string>;
  /** Which of the user's devices this is (PROTOCOL §5.1); `default` unless given. */
  device?: string;
  /** Where the cursor and the outbox are kept; in memory unless given, which a reload forgets. */
  store?: Store;
  /**
   * What the application knows to have handled, where it keeps that itself, in one transaction with what it made of the
   * message: counts instead of the store's cursor. Without it the message whose handler was at work when the page or
   * process died is handed out again.
   */
  after?: Cursor | undefined;
  /** Instead of the global one: `ws` for example. */
  WebSocket?: WebSocketClass;
  /** Instead of the global one. */
  fetch?: typeof fetch;
}

/** Options with everything that was left out. */
export interface Settings {
  url: string;
  api: string;
  token: () => Promise<string>;
  device: string;
  store: Store;
  after: Cursor | undefined;
  fetch: typeof fetch;
}

const PATH = '/v1/connect';

/** @throws TypeError that says what is wrong */
export function readOptions(options: ClientOptions): Settings {
  const { device = DEFAULT_DEVICE, store = memoryStore(), after, token } = options;
  if (typeof token !== 'function')
    throw new TypeError('connect: token must be a function that returns a JWT');
  if (!isDeviceId(device)) throw new TypeError(`connect: device must be ${DEVICE_ID_RULE}`);
  const url = asAddress('url', options.url, 'ws').replace(new RegExp(`${PATH}$`), '');
  const api = asAddress('api', options.api ?? new URL(url).origin.replace(/^ws/, 'http'), 'http');
  return {
    url: url + PATH,
    api,
    token,
    device,
    store,
    after,
    // Bound, for a browser's own one wants to be called on its window.
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
  };
}

/** send-api's address as `httpClient` takes it. @throws TypeError that says what is wrong */
export function readApiAddress(api: string): string {
  return asAddress('api', api, 'http', 'httpClient');
}

/** With the scheme that is wanted, `http` standing for `ws` and back, and without a slash at the end. */
function asAddress(name: string, value: string, scheme: 'ws' | 'http', caller = 'connect'): string {
  const address = URL.canParse(value) ? new URL(value) : undefined;
  if (address === undefined || !/^(?:ws|http)s?:$/.test(address.protocol)) {
    throw new TypeError(`${caller}: ${name} must be a URL such as ${scheme}s://chat.example.com`);
  }
  if (address.search !== '' || address.hash !== '') {
    throw new TypeError(`${caller}: ${name} must have neither a query nor a fragment`);
  }
  return address.href.replace(/^(?:ws|http)/, scheme).replace(/\/+$/, '');
}
