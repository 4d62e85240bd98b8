import { uuidPattern } from '@tallystick/event';
import { describe, expect, test } from 'vitest';
import { toDeadLetter } from '../../src/chain/dead-letter.ts';

const submitter = { source: 'http', principal: 'key:1' };

describe("a dead letter's id", () => {
  const violations = [{ code: 'JSON_INVALID', pointer: '', message: 'must be JSON' }];
  const idOf = (
    raw: string,
    from: { source: string; principal?: string } = submitter,
    discriminator?: string,
  ) => toDeadLetter(raw, from, violations, discriminator).id;

  test('derives from content, submitter and discriminator: the same input gives the same id', () => {
    expect(idOf('{')).toMatch(uuidPattern);
    expect(idOf('{')).toBe(idOf('{'));
    expect(toDeadLetter(Buffer.from('{'), submitter, violations).id).toBe(idOf('{'));
    const others = [
      idOf('[', submitter),
      idOf('{', { source: 'kafka', principal: 'key:1' }),
      idOf('{', { source: 'http' }),
      idOf('{', submitter, '3/1234'),
      toDeadLetter('{', submitter, [{ ...violations[0]!, code: 'EVENT_TOO_LARGE' }]).id,
    ];
    expect(new Set([idOf('{'), ...others]).size).toBe(others.length + 1);
  });
});
