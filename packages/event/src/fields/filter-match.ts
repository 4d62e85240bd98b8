/** Compares filters with the content of an event: the answer that counts, whatever an index or a column says. */

import { type IpRange, isInRange, parseIpRange } from '../addresses/ip-range.ts';
import { parseActorReference } from '../schema/actor-reference.ts';
import type { IndexedField } from './fields.ts';
import type { FilterCondition } from './filters.ts';
import { memberValues } from './member-values.ts';

/** An event whose members may hold any JSON value: it may be forged. */
export type AnyEvent = { readonly [member: string]: unknown };

/** Makes a test for an event. It covers conditions on fields of the event that are not ranges. */
export function filterMatcher(conditions: readonly FilterCondition[]): (event: AnyEvent) => boolean {
  const tests = conditions.map((condition) => ({
    matches: matcherOf(condition),
    negated: condition.negated,
  }));
  return (event) => tests.every(({ matches, negated }) => matches(event) !== negated);
}

function matcherOf({ parameter, path, values }: FilterCondition): (event: AnyEvent) => boolean {
  const { field, compare } = parameter;
  switch (compare) {
    case 'actor': {
      const wanted = values.map((value) => parseActorReference(String(value)));
      return (event) =>
        actorsIn(field, event).some(({ type, id }) =>
          wanted.some((each) => each.id === id && (each.type === undefined || each.type === type)),
        );
    }
    case 'address': {
      const ranges = values.flatMap((value) => parseIpRange(String(value)) ?? []);
      return (event) => {
        const address = addressIn(field, event);
        return address !== undefined && ranges.some((range) => isInRange(range, address));
      };
    }
    case 'member': {
      const wanted = new Set(values);
      return (event) =>
        memberValues(valueAt(field, event)).some(([own, text]) => own === path && wanted.has(text));
    }
    case 'element': {
      const wanted = new Set(values);
      return (event) => textsIn(field, event).some((text) => wanted.has(text));
    }
    case 'prefix':
      return (event) => {
        const own = valueAt(field, event);
        return (
          typeof own === 'string' &&
          values
            .map(String)
            .some((value) => own === value || (value.endsWith('.*') && own.startsWith(value.slice(0, -1))))
        );
      };
    default: {
      const { filter } = field;
      const absent = filter?.kind === 'enum' ? filter.absent : field.type === 'boolean' ? false : undefined;
      const wanted = new Set<unknown>(values);
      return (event) => wanted.has(valueAt(field, event) ?? absent);
    }
  }
}

/** What an event has at the path of a field. */
export function valueAt({ path = [] }: IndexedField, event: AnyEvent): unknown {
  let value: unknown = event;
  for (const member of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as AnyEvent)[member];
  }
  return value;
}

/** The texts of a list. */
export function textsIn(field: IndexedField, event: AnyEvent): string[] {
  const list = valueAt(field, event);
  return Array.isArray(list) ? list.filter((element) => typeof element === 'string') : [];
}

/** The actors that a field names: the actor itself, or those for whom it acted. */
export function actorsIn(
  field: IndexedField,
  event: AnyEvent,
): readonly { readonly type: unknown; readonly id: string }[] {
  const value = valueAt(field, event);
  if (typeof value === 'string') return [{ type: event.actor_type, id: value }];
  return (Array.isArray(value) ? value : []).flatMap((each: AnyEvent | null) =>
    typeof each?.actor_id === 'string' ? [{ type: each.actor_type, id: each.actor_id }] : [],
  );
}

/** The address in a field; undefined if it has none. */
export function addressIn(field: IndexedField, event: AnyEvent): IpRange | undefined {
  const text = valueAt(field, event);
  const address = typeof text === 'string' ? parseIpRange(text) : undefined;
  return address !== undefined && address.bits === address.bytes.length * 8 ? address : undefined;
}
