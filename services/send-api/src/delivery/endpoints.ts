import type { DeliveryQuery, DeliveryReport } from '@posthorn/inspector';
import { DEFAULT_DELIVERY_PAGE, MAX_DELIVERY_PAGE } from '@posthorn/protocol';
import { problem } from '@posthorn/runtime';
import { sendJson } from '../http/answer';
import type { Authenticate } from '../http/authenticate';
import type { Endpoint } from '../http/endpoint';
import { parseInteger, parseQuery } from '../http/query';
import { messageIdOf } from '../messages/endpoints';

export interface DeliveryOptions {
  readonly authenticate: Authenticate;
  /** The delivery status of a message; null if it is not the sender's. */
  readonly reportDelivery: (id: string, query: DeliveryQuery) => Promise<DeliveryReport | null>;
}

/** `GET /v1/messages/ID/delivery` (PROTOCOL §4.4). */
export function deliveryEndpoints({ authenticate, reportDelivery }: DeliveryOptions): Endpoint[] {
  return [
    {
      method: 'get',
      path: '/v1/messages/:id/delivery',
      handle: async (req, res) => {
        const { user } = await authenticate(req);
        const id = messageIdOf(req.params['id']);
        const { after = '0', limit = String(DEFAULT_DELIVERY_PAGE) } = parseQuery(req, ['after', 'limit']);
        const report = await reportDelivery(id, {
          sender: user,
          after: parseInteger('after', after, 0, Number.MAX_SAFE_INTEGER),
          limit: parseInteger('limit', limit, 1, MAX_DELIVERY_PAGE),
        });
        if (report === null) throw problem('not_found');
        sendJson(res, 200, report);
      },
    },
  ];
}
