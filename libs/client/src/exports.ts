/** What browsers and Node have in common. */
export type { JsonObject, Message, ReceiptStatus, SkippedRange } from '@posthorn/protocol';
export type { Problem } from './api.ts';
export type { Client, ClientEvents, Receipt } from './client.ts';
export { ClientError, type ErrorSource } from './client-error.ts';
export {
  HttpClient,
  type HttpClientOptions,
  type HttpDraft,
  httpClient,
  type PresenceItem,
  RefusedError,
} from './http-client.ts';
export type { Delivery, MessageHandler } from './intake.ts';
export type { ClientOptions } from './options.ts';
export { OutboxFullError } from './outbox.ts';
export type { Draft, Outgoing, OutgoingState } from './outgoing.ts';
export type { Status } from './status.ts';
export type { Awaitable, Cursor, Store } from './store.ts';
export { indexedDbStore } from './stores/indexed-db-store.ts';
export { localStorageStore } from './stores/local-storage-store.ts';
export { memoryStore } from './stores/memory-store.ts';
export type { WebSocketClass, WebSocketLike } from './web-socket.ts';
