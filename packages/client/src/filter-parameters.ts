import type { EventFilters } from '@tallystick/protocol';
import type { Parameters } from './sender.ts';

/** The parameters of filters: those that events must not match have `not.` before their names. */
export function filterParametersOf({ not = {}, ...filters }: EventFilters = {}): Parameters {
  const negated = Object.entries(not).map(([name, value]) => [`not.${name}`, value]);
  return { ...filters, ...Object.fromEntries(negated) };
}
