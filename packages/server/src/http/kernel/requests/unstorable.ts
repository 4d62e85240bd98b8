import { toPointer } from '@tallystick/event';
import { isStorable } from '../../../input/storable.ts';

/**
 * The JSON pointer to the first text, or name of a member, that the store can not hold; `undefined` if there is none.
 *
 * @param value parameters or a parsed body, whose depth is bounded
 */
export function findUnstorable(value: unknown, trail: readonly (string | number)[] = []): string | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : shown(trail);
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const inner = [...trail, key];
    const found = isStorable(key) ? findUnstorable(member, inner) : shown(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The client chose the names: the pointer goes back in an answer, so it is bounded and well-formed. */
function shown(trail: readonly (string | number)[]): string {
  return toPointer(trail).slice(0, 512).toWellFormed().replaceAll('\0', '\u2400');
}
