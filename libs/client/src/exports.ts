/** The exports that browsers and Node share. */
export type { JsonObject, Message, ReceiptStatus, SkippedRange } from '@posthorn/protocol';
export type { Client, ClientEvents, Receipt } from './client.ts';
export { ClientError, type ErrorSource } from './client-error.ts';
export type { Status } from './connection/status.ts';
export type { WebSocketClass, WebSocketLike } from './connection/web-socket.ts';
export type { Problem } from './http/api.ts';
export {
  HttpClient,
  type HttpClientOptions,
  type HttpDraft,
  httpClient,
  type PresenceItem,
  RefusedError,
} from './http/http-client.ts';
export type { Delivery, MessageHandler } from './intake/intake.ts';
export type { ClientOptions } from './options.ts';
export { OutboxFullError } from './outbox/outbox.ts';
export type { Draft, Outgoing, OutgoingState } from './outbox/outgoing.ts';
export { indexedDbStore } from './stores/indexed-db-store.ts';
export { localStorageStore } from './stores/local-storage-store.ts';
export { memoryStore } from './stores/memory-store.ts';
export type { Awaitable, Cursor, Store } from './stores/store.ts';
