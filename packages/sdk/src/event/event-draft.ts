import { checkShape, limits, type Shape, type Violation } from '@tallystick/event';
import { isPlainJson } from './plain-json.ts';
import { type DetachedString, detachString, quoteIdentifier } from './strings.ts';
import { isHuge, type KeyBudget, writeJson } from './write-json.ts';

/** Reserved for the members of the event itself; more than it has, so that the whole event stays within the limit. */
const reservedKeys = 40;

/** One event while it is encoded: its violations so far, and how many keys its objects may still have. */
export class EventDraft {
  readonly violations: Violation[] = [];
  #keysLeft: KeyBudget | undefined;

  /** Records that the event's data is invalid. */
  refuse(code: Violation['code'], pointer: string, message: string): void {
    this.violations.push({ code, pointer, message });
  }

  /** The text of an identifier, or `undefined` if it is absent. A number becomes its decimal text. */
  identifier(
    name: string,
    value: unknown,
    maxLength: number = limits.maxIdentifierLength,
  ): DetachedString | undefined {
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value === 'string' && value.length <= maxLength) return detachString(value);
    if (typeof value === 'number' || (typeof value === 'bigint' && !isHuge(value))) return String(value);
    if (typeof value !== 'string' && typeof value !== 'bigint')
      this.refuse('FIELD_TYPE', `/${name}`, 'must be a string');
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
      if (item !== undefined) text += text === '' ? quoteIdentifier(item) : `,${quoteIdentifier(item)}`;
    }
    return `[${text}]`;
  }

  /** JSON text of an object: from `JSON.stringify` if that gives the right text, else by the rules of {@link writeJson}. */
  object(name: string, value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    const text = this.#stringifyPlain(value) ?? this.#writeAny(value, name);
    if (text !== undefined && text.charCodeAt(0) === 0x7b) return text;
    this.refuse('FIELD_TYPE', `/${name}`, 'must be an object');
    return undefined;
  }

  /** Compares a value of the caller with a shape. A value that can't be read is accepted here: see {@link writeJson}. */
  checkShape(name: string, value: unknown, shape: Shape, found: Violation[]): void {
    try {
      checkShape(value, shape, [name], found);
    } catch {
      // A getter threw. The event is kept, with the text "[Unreadable]" instead of the value.
    }
  }

  #stringifyPlain(value: unknown): string | undefined {
    try {
      if (!isPlainJson(value, 2)) return undefined;
      const text = JSON.stringify(value);
      // JSON.stringify writes \u only for control characters and lone surrogates, which writeJson may have to replace.
      return text.length <= limits.maxEventBytes && !text.includes('\\u') ? text : undefined;
    } catch {
      // A getter threw, or returned another value when it was called again.
      return undefined;
    }
  }

  #writeAny(value: unknown, name: string): string | undefined {
    this.#keysLeft ??= { keys: limits.maxKeys - reservedKeys };
    return writeJson(value, 2, this.#keysLeft, this.violations, name);
  }
}
