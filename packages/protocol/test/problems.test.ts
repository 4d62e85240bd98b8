import { eventErrorCodes } from '@tallystick/event';
import { describe, expect, test } from 'vitest';
import {
  eventProblemCodes,
  type ProblemCode,
  problemCodes,
  problemKindOf,
  problemTypeOf,
} from '../src/problems.ts';

describe('problem codes', () => {
  test('are sorted, and each appears once', () => {
    expect(problemCodes).toEqual([...new Set(problemCodes)].sort());
  });

  test.each(problemCodes)('%s has a status of HTTP errors and a title for people', (code) => {
    const { status, title } = problemKindOf(code);
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(title).toMatch(/^\S.{2,60}[^.\s]$/);
  });

  test('include every code with which an event is refused', () => {
    expect(problemCodes).toEqual(expect.arrayContaining([...eventErrorCodes]));
    expect(eventProblemCodes).toEqual(expect.arrayContaining([...eventErrorCodes]));
    expect(problemCodes).toEqual(expect.arrayContaining(eventProblemCodes));
  });

  test('that only a newer service knows count as a refusal', () => {
    expect(problemKindOf('SOMETHING_NEW')).toEqual({ status: 422, title: 'Refused' });
    // Members that every object inherits are not codes.
    for (const name of ['constructor', 'toString', '__proto__']) expect(problemKindOf(name).status).toBe(422);
  });

  test('that a client may retry are 503, those of keys 401 and 403', () => {
    const statusOf = (code: ProblemCode) => problemKindOf(code).status;
    const transient = [
      'STORE_UNAVAILABLE',
      'BROKER_UNAVAILABLE',
      'OVERLOADED',
      'CLOSING',
      'CHAIN_STOPPED',
    ] as const;
    expect(new Set(transient.map(statusOf))).toEqual(new Set([503]));
    expect([statusOf('UNAUTHENTICATED'), statusOf('FORBIDDEN')]).toEqual([401, 403]);
  });
});

describe('problem types', () => {
  test('are URNs (RFC 8141), one for each code', () => {
    const urns = problemCodes.map(problemTypeOf);
    expect(new Set(urns).size).toBe(problemCodes.length);
    for (const urn of urns) expect(urn).toMatch(/^urn:tallystick:problem:[a-z0-9]+(?:-[a-z0-9]+)*$/);
  });

  test('keep the form that clients compare with', () => {
    expect(problemTypeOf('AUDIT_ID_CONFLICT')).toBe('urn:tallystick:problem:audit-id-conflict');
  });
});
