import { inspect } from 'node:util';

const values = new WeakMap<Secret, string>();

/** A value that cannot be printed, logged or serialised (R55); `use` is the only way to it. */
export class Secret {
  constructor(value: string) {
    values.set(this, value);
  }

  /** Hands the value to `fn` and returns what it returns. Do not keep the value. */
  use<T>(fn: (value: string) => T): T {
    return fn(values.get(this) ?? '');
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  valueOf(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
