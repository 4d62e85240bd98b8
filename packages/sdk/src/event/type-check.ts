import {
  AuditValidationError,
  isReservedEventType,
  type Shape,
  type Taxonomy,
  type Violation,
} from '@tallystick/event';
import type { Draft } from './draft.ts';
import { own } from './wire.ts';

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

/** What a taxonomy says of a type. */
class KnownType {
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

/** An event type that may be emitted, and what is declared of it where there is a taxonomy. */
interface AdmittedType {
  readonly type: string;
  readonly declared: KnownType | undefined;
}

/** Knows which types may be emitted, and what the taxonomy says of them. */
export class TypeCheck {
  readonly #taxonomy: Taxonomy | undefined;
  readonly #admitted = new Map<string, AdmittedType>();

  constructor(taxonomy: Taxonomy | undefined) {
    this.#taxonomy = taxonomy;
  }

  /**
   * @throws {AuditValidationError} for a type that can't be emitted: it is in the program's text, and a typo there
   *   would lose each event of the type
   */
  find(given: string): AdmittedType {
    const known = this.#admitted.get(given);
    if (known !== undefined) return known;
    const type = own(given);
    const admitted = { type, declared: this.#look(type) };
    if (this.#admitted.size < maxKnown) this.#admitted.set(type, admitted);
    return admitted;
  }

  #look(type: string): KnownType | undefined {
    if (!typePattern.test(type) || type.length > maxTypeLength) {
      throw refuse(
        'EVENT_TYPE_INVALID',
        'eventType must be dotted lower-case words, such as alert.classified',
      );
    }
    if (isReservedEventType(type)) {
      throw refuse('EVENT_TYPE_RESERVED', `eventType ${type} is written by the audit service alone`);
    }
    if (this.#taxonomy === undefined) return undefined;
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
