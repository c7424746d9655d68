import { DEFAULT_DEVICE, DEVICE_ID_RULE, isDeviceId } from '@posthorn/protocol';
import type { WebSocketClass } from './connection/web-socket.ts';
import { memoryStore } from './stores/memory-store.ts';
import type { Cursor, Store } from './stores/store.ts';

/** The options of `connect`. */
export interface ClientOptions {
  /** The address of the gateways: `wss://chat.example.com`, optionally with a path before `/v1/connect`. */
  url: string;
  /** The address of send-api: `https://api.example.com`. By default the origin of `url`. */
  api?: string;
  /**
   * Returns a JWT. Called whenever a token is needed: at the start, before the current one expires, and after a
   * refusal.
   */
  token: () => Promise<string>;
  /** The name of this device among the user's devices (PROTOCOL §5.1). Without one it is `default`. */
  device?: string;
  /** Where the cursor and the outbox are kept. By default in memory, which a reload clears. */
  store?: Store;
  /**
   * The last position that the application has handled. Set this if the application stores it itself, in one
   * transaction with what it made of the message. It wins over the store's cursor. Without it, a message whose
   * handler was running when the page or process died is handed out again.
   */
  after?: Cursor | undefined;
  /** Used instead of the global one, for example `ws`. */
  WebSocket?: WebSocketClass;
  /** Used instead of the global one. */
  fetch?: typeof fetch;
}

/** The options with all defaults filled in. */
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

/** Checks the options and fills in defaults. @throws TypeError that says what is wrong */
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
    // Bound, because a browser's fetch must be called on its window.
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
  };
}

/** send-api's address, for `httpClient`. @throws TypeError that says what is wrong */
export function readApiAddress(api: string): string {
  return asAddress('api', api, 'http', 'httpClient');
}

/** The address with the wanted scheme (`http` and `ws` replace each other) and without a slash at the end. */
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
