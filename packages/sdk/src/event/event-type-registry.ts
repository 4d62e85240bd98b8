import {
  AuditValidationError,
  fitsOf,
  isReservedEventType,
  type Shape,
  type Taxonomy,
  type Violation,
} from '@tallystick/event';
import type { EventDraft } from './event-draft.ts';
import { detachString } from './strings.ts';
import { validationError } from './validation-error.ts';

const typePattern = /^[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)+$/;
const maxTypeLength = 128;
/** Programs have few types. This bounds the memory if a program makes types from data. */
const maxCachedTypes = 1_000;

/**
 * Violations that only a mistake of the program causes. The others depend on the data at hand, so that `emit()` must not
 * throw them.
 */
const programmingErrors: ReadonlySet<Violation['code']> = new Set([
  'FIELD_TYPE',
  'FIELD_REQUIRED',
  'FIELD_UNKNOWN',
]);

/** What a taxonomy declares for one event type. */
class DeclaredType {
  readonly category: string;
  readonly #payload: readonly {
    readonly name: string;
    readonly shape: Shape;
    readonly fits: (value: unknown) => boolean;
  }[];

  constructor(category: string, payload: { readonly [member: string]: Shape }) {
    this.category = category;
    this.#payload = Object.entries(payload).map(([name, shape]) => ({ name, shape, fits: fitsOf(shape) }));
  }

  /**
   * Compares an event's payload with the declared shapes. Violations that depend on data are added to the draft.
   *
   * @throws {AuditValidationError} if the program passed the wrong kind of value
   */
  checkPayload(draft: EventDraft, payload: { readonly [member: string]: unknown }): void {
    for (const { name, shape, fits } of this.#payload) {
      const value = payload[name];
      // Nearly every event is right. What is wrong is found out only for the others.
      if (value !== undefined && value !== null && fitsSafely(fits, value)) continue;
      const found: Violation[] = [];
      if (value !== undefined && value !== null) draft.checkShape(name, value, shape, found);
      else if (shape.required === true) {
        found.push({
          code: 'FIELD_REQUIRED',
          pointer: `/${name}`,
          message: `${name} is required for this type`,
        });
      }
      if (found.length === 0) continue;
      if (found.some(({ code }) => programmingErrors.has(code))) throw new AuditValidationError(found);
      draft.violations.push(...found);
    }
  }
}

/** A value with a getter that throws is left to {@link EventDraft.checkShape}. */
function fitsSafely(fits: (value: unknown) => boolean, value: unknown): boolean {
  try {
    return fits(value);
  } catch {
    return false;
  }
}

interface EventType {
  readonly name: string;
  /** `undefined` without a taxonomy. */
  readonly declared: DeclaredType | undefined;
}

/** The event types that may be emitted: those of the taxonomy or, without one, all that are well-formed and not reserved. */
export class EventTypeRegistry {
  readonly #taxonomy: Taxonomy | undefined;
  readonly #cache = new Map<string, EventType>();

  constructor(taxonomy: Taxonomy | undefined) {
    this.#taxonomy = taxonomy;
  }

  /**
   * @throws {AuditValidationError} for a type that must not be emitted. The type is written in the program's source, where
   *   a misspelling would lose every event of the type.
   */
  find(given: string): EventType {
    const cached = this.#cache.get(given);
    if (cached !== undefined) return cached;
    const name = detachString(given);
    const type = { name, declared: this.#declarationOf(name) };
    if (this.#cache.size < maxCachedTypes) this.#cache.set(name, type);
    return type;
  }

  #declarationOf(type: string): DeclaredType | undefined {
    if (!typePattern.test(type) || type.length > maxTypeLength) {
      const message = 'eventType must be lower-case words joined by dots, such as alert.classified';
      throw validationError('EVENT_TYPE_INVALID', '/event_type', message);
    }
    if (isReservedEventType(type)) {
      const message = `eventType ${type} is reserved for the audit service`;
      throw validationError('EVENT_TYPE_RESERVED', '/event_type', message);
    }
    if (this.#taxonomy === undefined) return undefined;
    const declared = this.#taxonomy.find(type);
    if (declared === undefined) {
      const message = `eventType ${type} is not in the taxonomy ${this.#taxonomy.name}`;
      throw validationError('EVENT_TYPE_UNKNOWN', '/event_type', message);
    }
    return new DeclaredType(declared.category, declared.payload);
  }
}
