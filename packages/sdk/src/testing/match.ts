import type { AuditEvent } from '@tallystick/event';

/** Members that an event must have; those it has beside them don't matter, at any depth. */
export type EventPattern = object;

interface Emitted {
  readonly events: readonly AuditEvent[];
}

/** Whether `actual` has all that `pattern` says. Lists must be of the same length. */
export function matches(actual: unknown, pattern: unknown): boolean {
  if (typeof pattern === 'function') return (pattern as (value: unknown) => unknown)(actual) === true;
  if (pattern instanceof RegExp) return typeof actual === 'string' && pattern.test(actual);
  if (typeof pattern !== 'object' || pattern === null) return Object.is(actual, pattern);
  // expect.any(), expect.stringContaining() and the like of vitest and Jest.
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

/** For vitest and Jest: `expect.extend(auditMatchers)`, then `expect(audit).toHaveEmitted({ event_type: … })`. */
export const auditMatchers = {
  toHaveEmitted(received: Emitted, pattern: EventPattern) {
    const pass = received.events.some((event) => matches(event, pattern));
    return {
      pass,
      message: () => explain(received.events, pattern, pass ? 'not to have emitted' : 'to have emitted'),
    };
  },
};

/** For node:test and others: throws unless an event matches; returns the first that does. */
export function assertEmitted(audit: Emitted, pattern: EventPattern): AuditEvent {
  const found = audit.events.find((event) => matches(event, pattern));
  if (found === undefined) throw new Error(explain(audit.events, pattern, 'to have emitted'));
  return found;
}

/** Throws if an event matches. */
export function assertNotEmitted(audit: Emitted, pattern: EventPattern = {}): void {
  if (audit.events.some((event) => matches(event, pattern))) {
    throw new Error(explain(audit.events, pattern, 'not to have emitted'));
  }
}

function explain(events: readonly AuditEvent[], pattern: EventPattern, what: string): string {
  const list = events.map((event) => `  ${JSON.stringify(event)}`).join('\n');
  return `expected the code ${what} ${JSON.stringify(pattern)}\nemitted ${events.length}:\n${list}`;
}
