import { registerDecorator, type ValidationArguments } from 'class-validator';
import { type Fault, packFault } from './fault';

/**
 * A property decorator out of a function that finds what is wrong: null when nothing is. It is called with
 * whatever the body holds, so it must stand any JSON value; a pointer in its answer is relative to the property.
 */
export function constraint(
  name: string,
  find: (value: unknown) => Fault | null,
  constraints: readonly unknown[] = [],
): PropertyDecorator {
  return (target, property) => {
    registerDecorator({
      name,
      target: target.constructor,
      propertyName: String(property),
      constraints: [...constraints],
      validator: {
        validate: (value: unknown) => find(value) === null,
        defaultMessage: (args?: ValidationArguments) => packFault(find(args?.value) ?? OTHERWISE),
      },
    });
  };
}

const OTHERWISE: Fault = { pointer: '', detail: 'is not valid' };
