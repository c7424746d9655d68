import { type DeliveryOptions, deliveryEndpoints } from '../delivery/endpoints';
import { type InboxOptions, inboxEndpoints } from '../inbox/endpoints';
import { type MessageOptions, messageEndpoints } from '../messages/endpoints';
import { type PresenceOptions, presenceEndpoints } from '../presence/endpoints';
import { type ReceiptOptions, receiptEndpoints } from '../receipts/endpoints';
import { referenceEndpoints } from '../reference/endpoints';
import type { OpenApiDocument } from '../reference/openapi';
import type { Endpoint } from './endpoint';

/** What the endpoints need. */
export interface EndpointOptions
  extends MessageOptions,
    ReceiptOptions,
    DeliveryOptions,
    InboxOptions,
    PresenceOptions {
  readonly openApi: OpenApiDocument;
}

/** All endpoints of the public port except `/docs`. The busiest come first, because Express tries them in order. */
export function createEndpoints(options: EndpointOptions): Endpoint[] {
  return [
    ...messageEndpoints(options),
    ...receiptEndpoints(options),
    ...deliveryEndpoints(options),
    ...inboxEndpoints(options),
    ...presenceEndpoints(options),
    ...referenceEndpoints(options.openApi),
  ];
}
