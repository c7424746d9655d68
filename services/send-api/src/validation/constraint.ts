import { registerDecorator, type ValidationArguments } from 'class-validator';
import { type Fault, packFault } from './fault';

/**
 * Makes a property decorator from a function that finds a fault.
 *
 * @param find returns the fault of a value, or null. It must accept any JSON value. Its pointer is relative to the
 * property
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
