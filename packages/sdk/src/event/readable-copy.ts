import type { AnyEventInput } from './input.ts';
import { inputFields } from './input-fields.ts';
import { timestampText } from './timestamps.ts';

const unreadable = '[Unreadable]';

/**
 * A copy of an event with a getter that throws. The text `[Unreadable]` replaces the value of such a member. It is a valid
 * identifier; for a member of another form it is invalid, and the event is then refused because of its data.
 */
export function readableCopy(event: AnyEventInput): AnyEventInput {
  const copy: { [member: string]: unknown } = {};
  for (const name of namesOf(event)) {
    try {
      const value: unknown = Reflect.get(event, name);
      // One item more than a list may have, so that a list that is too long is still refused.
      if (Array.isArray(value)) copy[name] = value.slice(0, 1_001);
      else copy[name] = name === 'timestamp' ? timestampText(value) : value;
    } catch {
      copy[name] = unreadable;
    }
  }
  return copy as unknown as AnyEventInput;
}

/** Also those that are not fields of an event, so that the event is still refused because of them. */
function namesOf(event: object): Iterable<string> {
  const names = new Set<string>(inputFields);
  try {
    for (const name in event) names.add(name);
  } catch {
    // A proxy threw. Its fields are read one by one.
  }
  return names;
}
