import { DEFAULT_INBOX_PAGE, type InboxItem, MAX_INBOX_PAGE, type SkippedRange } from '@posthorn/protocol';
import { sendJson } from '../http/answer';
import type { Authenticate } from '../http/authenticate';
import type { Endpoint } from '../http/endpoint';
import { parseInteger, parseQuery } from '../http/query';

export interface InboxOptions {
  readonly authenticate: Authenticate;
  /** The entries after `after` in order, the ranges of deleted entries, and the newest `seq` of the inbox. */
  readonly readPage: (
    user: string,
    after: number,
    limit: number,
  ) => Promise<{ items: InboxItem[]; skipped?: SkippedRange[]; lastSeq: number }>;
}

/** `GET /v1/inbox` (PROTOCOL §4.5). */
export function inboxEndpoints({ authenticate, readPage }: InboxOptions): Endpoint[] {
  return [
    {
      method: 'get',
      path: '/v1/inbox',
      handle: async (req, res) => {
        const { user } = await authenticate(req);
        const query = parseQuery(req, ['after', 'limit']);
        const after =
          query.after === undefined ? 0 : parseInteger('after', query.after, 0, Number.MAX_SAFE_INTEGER);
        const limit =
          query.limit === undefined
            ? DEFAULT_INBOX_PAGE
            : parseInteger('limit', query.limit, 1, MAX_INBOX_PAGE);
        sendJson(res, 200, await readPage(user, after, limit));
      },
    },
  ];
}
