import { isUserId, type JsonObject, USER_ID_RULE } from '@posthorn/protocol';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsNotEmpty,
  IsObject,
  IsString,
  ValidateIf,
} from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import {
  EachIs,
  IsStorableJson,
  IsStorableText,
  IsUserId,
  MaxCodePoints,
  MaxDistinct,
} from '../validation/constraints';

/** The body of `POST /v1/messages`, validated (PROTOCOL §4.1). */
export interface SendMessageDto {
  to: string[];
  from?: string;
  text?: string;
  data?: JsonObject;
}

/** Limits of a message that operators can set. */
export interface MessageLimits {
  readonly maxRecipients: number;
  readonly maxTextChars: number;
  readonly maxDataBytes: number;
}

/** Repeats in `to` count once, but a list with more than this many times the limit is refused unread. */
const REPEATS_FACTOR = 10;

/** Defines the DTO class for these limits. A property's lowest decorator is checked first; the first fault ends it. */
export function defineSendMessage(limits: MessageLimits): new () => SendMessageDto {
  class SendMessage implements SendMessageDto {
    @JSONSchema({
      description: `Who gets the message: 1 to ${limits.maxRecipients} different user ids. Repeats count once.`,
      examples: [['bob', 'carol']],
    })
    @MaxDistinct(limits.maxRecipients)
    @EachIs('eachUserId', isUserId, `a user id: ${USER_ID_RULE}`)
    @ArrayMaxSize(limits.maxRecipients * REPEATS_FACTOR, { message: 'must have at most $constraint1 items' })
    @ArrayMinSize(1, { message: 'must name at least one user' })
    @IsArray({ message: 'must be an array of user ids' })
    to!: string[];

    @JSONSchema({
      description:
        'The sender. If absent, the user of the token. To name somebody else, the token needs the scope `send:as`.',
    })
    @IsUserId()
    @ValidateIf((body: SendMessageDto) => body.from !== undefined)
    from?: string;

    @JSONSchema({
      description: `Comes back exactly as sent. At most ${limits.maxTextChars} Unicode code points.`,
      examples: ['hello'],
    })
    @IsStorableText()
    @MaxCodePoints(limits.maxTextChars)
    @IsNotEmpty({ message: 'must not be empty' })
    @IsString({ message: ({ value }) => (value === undefined ? NEITHER : 'must be a string') })
    @ValidateIf((body: SendMessageDto) => body.text !== undefined || body.data === undefined)
    text?: string;

    @JSONSchema({
      description: `Any JSON object, at most ${limits.maxDataBytes} bytes as compact JSON. Numbers come back as doubles.`,
      additionalProperties: true,
      examples: [{ any: 'json object' }],
    })
    @IsStorableJson(limits.maxDataBytes)
    @IsObject({ message: 'must be a JSON object' })
    @ValidateIf((body: SendMessageDto) => body.data !== undefined)
    data?: JsonObject;
  }
  return SendMessage;
}

const NEITHER = 'text or data (or both) must be given';
