import { isMessageId, type Message } from '@posthorn/protocol';
import { problem } from '@posthorn/runtime';
import { sendJson } from '../http/answer';
import type { Authenticate } from '../http/authenticate';
import type { Endpoint } from '../http/endpoint';
import { createSendMessage, type SendMessageOptions } from './send-message';

export interface MessageOptions extends SendMessageOptions {
  readonly authenticate: Authenticate;
  /** The message as `user` sees it; null if it is neither from nor to that user. */
  readonly findMessage: (id: string, user: string) => Promise<Message | null>;
}

/** `POST /v1/messages` and `GET /v1/messages/ID` (PROTOCOL §4.1). */
export function messageEndpoints(options: MessageOptions): Endpoint[] {
  const { authenticate, findMessage } = options;
  return [
    { method: 'post', path: '/v1/messages', handle: createSendMessage(options) },
    {
      method: 'get',
      path: '/v1/messages/:id',
      handle: async (req, res) => {
        const { user } = await authenticate(req);
        const message = await findMessage(messageIdOf(req.params['id']), user);
        // The same answer for "no such message" and "not yours", so that a stranger learns nothing.
        if (message === null) throw problem('not_found');
        sendJson(res, 200, message);
      },
    },
  ];
}

/**
 * Reads a message id from a path, and returns it in lower case.
 *
 * @throws Problem not_found if it is not a UUID
 */
export function messageIdOf(text: unknown): string {
  if (!isMessageId(text)) throw problem('not_found');
  return text.toLowerCase();
}
