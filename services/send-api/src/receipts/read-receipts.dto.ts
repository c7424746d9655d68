import { isMessageId, MAX_READ_IDS } from '@posthorn/protocol';
import { ArrayMaxSize, ArrayMinSize, IsArray } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { EachIs } from '../validation/constraints';

/** The body of `POST /v1/receipts` (PROTOCOL §4.4). The lowest decorator is checked first; the first fault ends it. */
export class ReadReceiptsDto {
  @JSONSchema({ description: 'Ids of messages in your inbox that you have read.' })
  @EachIs('eachMessageId', isMessageId, 'a message id, which is a UUID')
  @ArrayMaxSize(MAX_READ_IDS, { message: 'must have at most $constraint1 items' })
  @ArrayMinSize(1, { message: 'must name at least one message' })
  @IsArray({ message: 'must be an array of message ids' })
  read!: string[];
}
