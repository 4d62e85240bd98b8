import { checkShape, limits, type Shape, type Violation } from '@tallystick/event';
import { type Allowance, isPlainJson } from './plain.ts';
import { own, quoted } from './wire.ts';
import { writeJson } from './write-json.ts';

/** The event's own members; a little more than it has, so that the whole stays within the limit. */
const ownMembers = 40;

/** One event on its way to text: what was found wrong with its data, and what is left of the limits. */
export class Draft {
  readonly found: Violation[] = [];
  #left: Allowance | undefined;

  refuse(code: Violation['code'], pointer: string, message: string): void {
    this.found.push({ code, pointer, message });
  }

  /** The text of an identifier, or `undefined` for an absent one. A number is taken by its digits. */
  identifier(
    name: string,
    value: unknown,
    maxLength: number = limits.maxIdentifierLength,
  ): string | undefined {
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string' && value.length <= maxLength) return own(value);
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    if (typeof value !== 'string') this.refuse('FIELD_TYPE', `/${name}`, 'must be a string');
    else this.refuse('FIELD_LENGTH', `/${name}`, `must have at most ${maxLength} characters`);
    return undefined;
  }

  /** JSON text of a list of identifiers. */
  identifiers(name: string, values: unknown): string | undefined {
    if (values === undefined || values === null) return undefined;
    if (!Array.isArray(values)) {
      this.refuse('FIELD_TYPE', `/${name}`, 'must be an array');
      return undefined;
    }
    if (values.length > 1_000) {
      this.refuse('FIELD_LENGTH', `/${name}`, 'must have at most 1000 items');
      return undefined;
    }
    let text = '';
    for (let index = 0; index < values.length; index++) {
      const item = this.identifier(`${name}/${index}`, values[index]);
      if (item !== undefined) text += text === '' ? quoted(item) : `,${quoted(item)}`;
    }
    return `[${text}]`;
  }

  /** JSON text of an object: what the engine writes where that is right, else by the rules of `write-json.ts`. */
  object(name: string, value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    const text = this.#quick(value) ?? this.#slow(value);
    if (text !== undefined && text.charCodeAt(0) === 0x7b) return text;
    this.refuse('FIELD_TYPE', `/${name}`, 'must be an object');
    return undefined;
  }

  #slow(value: unknown): string | undefined {
    this.#left ??= { keys: limits.maxKeys - ownMembers };
    return writeJson(value, 2, this.#left, this.found);
  }

  /** Checks a value as the caller gave it; one that can't even be read is left to the writer's rules. */
  check(name: string, value: unknown, shape: Shape, found: Violation[]): void {
    try {
      checkShape(value, shape, [name], found);
    } catch {
      // A getter threw. The writer says "[Unreadable]" there, and the event is kept.
    }
  }

  #quick(value: unknown): string | undefined {
    try {
      if (!isPlainJson(value, 2)) return undefined;
      const text = JSON.stringify(value);
      // Only control characters and lone surrogates are written with \u: a reason to look closely.
      return text.length <= limits.maxEventBytes && !text.includes('\\u') ? text : undefined;
    } catch {
      // A getter that throws, or that gives something else the second time.
      return undefined;
    }
  }
}
