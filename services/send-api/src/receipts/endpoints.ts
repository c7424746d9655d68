import type { ReadOutcome, ReadRequest } from '@posthorn/inbox';
import type { ReceiptItem, ReceiptNews } from '@posthorn/protocol';
import { problem } from '@posthorn/runtime';
import { sendJson, sendNothing } from '../http/answer';
import type { Authenticate } from '../http/authenticate';
import type { Endpoint } from '../http/endpoint';
import { readJsonObject } from '../http/json-body';
import { messageIdOf } from '../messages/endpoints';
import { dtoValidator } from '../validation/validate-dto';
import { ReadReceiptsDto } from './read-receipts.dto';

export interface ReceiptOptions {
  readonly authenticate: Authenticate;
  /** One item per recipient; null if the message is not from `sender`. */
  readonly findReceipts: (id: string, sender: string) => Promise<ReceiptItem[] | null>;
  /** Records what was read. Resolves after the commit. */
  readonly recordRead: (read: ReadRequest) => Promise<ReadOutcome>;
  /** Sends the news to the senders' connected devices, within a limited time. */
  readonly publishReceipts: (news: readonly ReceiptNews[]) => Promise<unknown>;
  readonly maxBodyBytes: number;
}

/** `GET /v1/messages/ID/receipts` and `POST /v1/receipts` (PROTOCOL §4.4). */
export function receiptEndpoints(options: ReceiptOptions): Endpoint[] {
  const { authenticate, findReceipts, recordRead, publishReceipts, maxBodyBytes } = options;
  const validate = dtoValidator(ReadReceiptsDto);
  return [
    {
      method: 'get',
      path: '/v1/messages/:id/receipts',
      handle: async (req, res) => {
        const { user } = await authenticate(req);
        const items = await findReceipts(messageIdOf(req.params['id']), user);
        if (items === null) throw problem('not_found');
        sendJson(res, 200, { items });
      },
    },
    {
      method: 'post',
      path: '/v1/receipts',
      handle: async (req, res) => {
        const { user } = await authenticate(req);
        const result = validate(await readJsonObject(req, res, maxBodyBytes));
        if ('faults' in result) throw problem('invalid_message', { errors: result.faults });
        const { isKnown, news } = await recordRead({ user, ids: result.dto.read });
        if (!isKnown) {
          throw problem('not_found', {
            detail: 'One of the messages is not in your inbox. Nothing was recorded.',
          });
        }
        await publishReceipts(news);
        sendNothing(res);
      },
    },
  ];
}
