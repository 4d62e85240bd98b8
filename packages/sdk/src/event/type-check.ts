import {
  AuditValidationError,
  isReservedEventType,
  type Shape,
  type Taxonomy,
  type Violation,
} from '@tallystick/event';
import type { Draft } from './draft.ts';

const typePattern = /^[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)+$/;
const maxTypeLength = 128;
/** Types are few; a program that makes them up from data must not fill the memory with them. */
const maxKnown = 1_000;

/** Codes that a wrong program gives; the others depend on the values at hand, and must not throw at the business. */
const programCodes: ReadonlySet<Violation['code']> = new Set([
  'FIELD_TYPE',
  'FIELD_REQUIRED',
  'FIELD_UNKNOWN',
]);

/** An event type that may be emitted. */
export class KnownType {
  readonly category: string;
  readonly #shapes: readonly (readonly [part: string, shape: Shape])[];

  constructor(category: string, payload: { readonly [part: string]: Shape }) {
    this.category = category;
    this.#shapes = Object.entries(payload);
  }

  /**
   * @throws {AuditValidationError} where a part is not of the declared shape
   */
  check(draft: Draft, parts: { readonly [part: string]: unknown }): void {
    for (const [name, shape] of this.#shapes) {
      const value = parts[name];
      const found: Violation[] = [];
      if (value !== undefined && value !== null) draft.check(name, value, shape, found);
      else if (shape.required === true) {
        found.push({
          code: 'FIELD_REQUIRED',
          pointer: `/${name}`,
          message: `${name} is required for this type`,
        });
      }
      if (found.length === 0) continue;
      if (found.some((violation) => programCodes.has(violation.code))) throw new AuditValidationError(found);
      draft.found.push(...found);
    }
  }
}

/** Knows which types may be emitted, and what the taxonomy says of them. */
export class TypeCheck {
  readonly #taxonomy: Taxonomy | undefined;
  /** `null`: admitted, and nothing is declared of it. */
  readonly #known = new Map<string, KnownType | null>();

  constructor(taxonomy: Taxonomy | undefined) {
    this.#taxonomy = taxonomy;
  }

  /**
   * @returns what the taxonomy declares; `undefined` without a taxonomy
   * @throws {AuditValidationError} for a type that can't be emitted: it is in the program's text, and a typo there
   *   would lose each event of the type
   */
  find(type: string): KnownType | undefined {
    let known = this.#known.get(type);
    if (known === undefined) {
      known = this.#look(type);
      if (this.#known.size < maxKnown) this.#known.set(type, known);
    }
    return known ?? undefined;
  }

  #look(type: string): KnownType | null {
    if (!typePattern.test(type) || type.length > maxTypeLength) {
      throw refuse(
        'EVENT_TYPE_INVALID',
        'eventType must be dotted lower-case words, such as alert.classified',
      );
    }
    if (isReservedEventType(type)) {
      throw refuse('EVENT_TYPE_RESERVED', `eventType ${type} is written by the audit service alone`);
    }
    if (this.#taxonomy === undefined) return null;
    const declared = this.#taxonomy.find(type);
    if (declared === undefined) {
      throw refuse('EVENT_TYPE_UNKNOWN', `eventType ${type} is not in the taxonomy ${this.#taxonomy.name}`);
    }
    return new KnownType(declared.category, declared.payload);
  }
}

function refuse(code: Violation['code'], message: string): AuditValidationError {
  return new AuditValidationError([{ code, pointer: '/event_type', message }]);
}
