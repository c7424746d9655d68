import { escapePointer, type JsonObject } from '@posthorn/protocol';
import { getMetadataStorage, type ValidatorOptions, validateSync } from 'class-validator';
import { type Fault, unpackFault } from './fault';

/** A validated DTO, or all faults of the body. */
export type Validated<Dto> = { readonly dto: Dto } | { readonly faults: readonly Fault[] };

/** The most unknown fields that one answer lists. */
const MAX_FAULTS = 50;
const MAX_NAME_CHARS = 64;

const OPTIONS: ValidatorOptions = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  stopAtFirstError: true,
  validationError: { target: false, value: false },
};

/**
 * Makes a function that turns a parsed JSON object into a validated `Dto`. It takes only the fields that the class
 * decorates, and neither converts nor copies them. Keys such as `__proto__` or `constructor` are ordinary unknown
 * fields.
 */
export function dtoValidator<Dto extends object>(type: new () => Dto): (body: JsonObject) => Validated<Dto> {
  const fields = fieldsOf(type);
  return (body) => {
    const dto = new type();
    const faults: Fault[] = [];
    for (const name of Object.keys(body)) {
      if (fields.has(name)) Reflect.set(dto, name, body[name]);
      else if (faults.length < MAX_FAULTS) faults.push(unknownField(name));
    }
    for (const { property, constraints } of validateSync(dto, OPTIONS)) {
      for (const text of Object.values(constraints ?? {})) faults.push(unpackFault(`/${property}`, text));
    }
    return faults.length === 0 ? { dto } : { faults };
  };
}

function fieldsOf(type: new () => object): ReadonlySet<string> {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return new Set(metadata.map(({ propertyName }) => propertyName));
}

function unknownField(name: string): Fault {
  return { pointer: `/${escapePointer(name.slice(0, MAX_NAME_CHARS))}`, detail: 'is not a known field' };
}
