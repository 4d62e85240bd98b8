import { fieldValue } from '@tallystick/event';
import type { EventView } from '@tallystick/protocol';

/** A member of an event as text. A forged event may hold anything there. */
export function textOf(event: EventView, name: string): string | undefined {
  const value = name === 'outcome_status' ? fieldValue(event, 'outcome_status') : event[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
