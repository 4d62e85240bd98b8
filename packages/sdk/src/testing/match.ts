import type { AuditEvent } from '@tallystick/event';

/** Members that an event must have, in its wire form. Further members of the event are ignored, at any depth. */
export type EventPattern = object;

interface Emitted {
  readonly events: readonly AuditEvent[];
}

/**
 * Whether a value matches a pattern. An object must have all members of the pattern; a list must have the same length. A function
 * is called with the value, and a regular expression is tested with it.
 */
export function matches(actual: unknown, pattern: unknown): boolean {
  if (typeof pattern === 'function') return (pattern as (value: unknown) => unknown)(actual) === true;
  if (pattern instanceof RegExp) return typeof actual === 'string' && pattern.test(actual);
  if (typeof pattern !== 'object' || pattern === null) return Object.is(actual, pattern);
  // Asymmetric matchers of vitest and Jest, such as expect.any() and expect.stringContaining().
  const asymmetric = (pattern as { asymmetricMatch?: (value: unknown) => boolean }).asymmetricMatch;
  if (typeof asymmetric === 'function') return asymmetric.call(pattern, actual);
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(pattern)) {
    return (
      Array.isArray(actual) &&
      actual.length === pattern.length &&
      pattern.every((item, index) => matches(actual[index], item))
    );
  }
  return Object.entries(pattern).every(
    ([name, wanted]) =>
      Object.hasOwn(actual, name) && matches((actual as Record<string, unknown>)[name], wanted),
  );
}

/** Matchers for vitest and Jest: `expect.extend(auditMatchers)`, then `expect(audit).toHaveEmitted({ event_type: … })`. */
export const auditMatchers = {
  toHaveEmitted(received: Emitted, pattern: EventPattern) {
    const pass = received.events.some((event) => matches(event, pattern));
    return {
      pass,
      message: () => explain(received.events, pattern, pass ? 'not to have emitted' : 'to have emitted'),
    };
  },
};

/** For any test runner: returns the first emitted event that matches the pattern, or throws if there is none. */
export function assertEmitted(audit: Emitted, pattern: EventPattern): AuditEvent {
  const found = audit.events.find((event) => matches(event, pattern));
  if (found === undefined) throw new Error(explain(audit.events, pattern, 'to have emitted'));
  return found;
}

/** Throws if an emitted event matches the pattern. Without a pattern, any event matches. */
export function assertNotEmitted(audit: Emitted, pattern: EventPattern = {}): void {
  if (audit.events.some((event) => matches(event, pattern))) {
    throw new Error(explain(audit.events, pattern, 'not to have emitted'));
  }
}

function explain(events: readonly AuditEvent[], pattern: EventPattern, what: string): string {
  const list = events.map((event) => `  ${JSON.stringify(event)}`).join('\n');
  return `expected the code ${what} ${JSON.stringify(pattern)}\nemitted ${events.length}:\n${list}`;
}
