import type { Redactor } from '@tallystick/event/redaction';

/** An event's wire text without its secrets; the same string if it contains none. */
export function redactWire(text: string, redactor: Redactor): string {
  const event = JSON.parse(text) as object;
  const clean = redactor.redact(event);
  return clean === event ? text : JSON.stringify(clean);
}
