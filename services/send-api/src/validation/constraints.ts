import { countCodePoints, findDataFault, isStorableText, isUserId, USER_ID_RULE } from '@posthorn/protocol';
import { constraint } from './constraint';

/** A string that is a user id. */
export function IsUserId(): PropertyDecorator {
  return constraint('isUserId', (value) =>
    isUserId(value) ? null : { pointer: '', detail: `must be a user id: ${USER_ID_RULE}` },
  );
}

/** An array of items that `is` accepts. The pointer names the first item that it does not accept. */
export function EachIs(name: string, is: (item: unknown) => boolean, rule: string): PropertyDecorator {
  return constraint(name, (value) => {
    const index = Array.isArray(value) ? value.findIndex((item) => !is(item)) : -1;
    return index === -1 ? null : { pointer: `/${index}`, detail: `must be ${rule}` };
  });
}

/** At most `max` different items. */
export function MaxDistinct(max: number): PropertyDecorator {
  return constraint(
    'maxDistinct',
    (value) =>
      !Array.isArray(value) || value.length <= max || new Set<unknown>(value).size <= max
        ? null
        : { pointer: '', detail: `must have at most ${max} different items` },
    [max],
  );
}

/** At most `max` Unicode code points. */
export function MaxCodePoints(max: number): PropertyDecorator {
  return constraint(
    'maxCodePoints',
    (value) =>
      typeof value !== 'string' || countCodePoints(value, max) <= max
        ? null
        : { pointer: '', detail: `must have at most ${max} characters (Unicode code points)` },
    [max],
  );
}

/** Text that can be stored and given back exactly. */
export function IsStorableText(): PropertyDecorator {
  return constraint('isStorableText', (value) =>
    typeof value !== 'string' || isStorableText(value)
      ? null
      : { pointer: '', detail: 'holds U+0000 or a lone surrogate' },
  );
}

/**
 * JSON that can be stored, and has at most `maxBytes` as compact JSON in UTF-8. The nesting is checked first, because
 * `JSON.stringify` overflows the stack at depths that `JSON.parse` accepts.
 */
export function IsStorableJson(maxBytes: number): PropertyDecorator {
  return constraint(
    'isStorableJson',
    (value) => {
      const fault = findDataFault(value);
      if (fault !== null) return fault;
      return value === undefined || Buffer.byteLength(JSON.stringify(value)) <= maxBytes
        ? null
        : { pointer: '', detail: `must have at most ${maxBytes} bytes as compact JSON` };
    },
    [maxBytes],
  );
}
