import { AuditValidationError } from '@tallystick/event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitEvents, splitLines } from '../../src/http/split-events.ts';

/** JSON text in every way that somebody may write it: white space between tokens, escapes in strings. */
const space = fc.stringMatching(/^[ \n\r\t]{0,3}$/);
const written = fc
  .json({ maxDepth: 4 })
  .chain((text) =>
    fc.constantFrom(
      text,
      JSON.stringify(JSON.parse(text), null, 2),
      text.replaceAll('e', '\\u0065').replaceAll('tru\\u0065', 'true').replaceAll('fals\\u0065', 'false'),
    ),
  )
  .filter((text) => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  });

describe('splitEvents', () => {
  it('cuts what JSON.parse finds', () => {
    const member = fc.tuple(fc.string(), written).filter(([name]) => name !== 'events');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(space, written, space), { maxLength: 6 }),
        fc.uniqueArray(member, { selector: ([name]) => name, maxLength: 3 }),
        fc.nat(3),
        space,
        (elements, others, place, gap) => {
          const list = `"events"${gap}:${gap}[${elements.map((parts) => parts.join('')).join(',')}${gap}]`;
          const members = others.map(([name, value]) => `${JSON.stringify(name)}:${gap}${value}`);
          members.splice(Math.min(place, members.length), 0, list);
          const text = `${gap}{${gap}${members.join(`${gap},${gap}`)}${gap}}${gap}`;
          const expected = JSON.parse(text);
          let split: ReturnType<typeof splitEvents>;
          try {
            split = splitEvents(Buffer.from(text), 1_000);
          } catch (error) {
            // Values beside the events are read strictly; only duplicates may stand in the way.
            expect((error as AuditValidationError).code).toBe('JSON_DUPLICATE_KEY');
            return;
          }
          expect(split.events.map((bytes) => bytes.toString())).toEqual(
            elements.map(([, value]) => value.trim()),
          );
          expect(split.events.map((bytes) => JSON.parse(bytes.toString()))).toEqual(expected.events);
          expect(JSON.stringify(split.envelope)).toBe(JSON.stringify({ ...expected, events: [] }));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives any bytes back as elements, or refuses: it never throws anything else and never hangs', () => {
    const bytes = fc.array(fc.oneof(fc.constantFrom(...Buffer.from('{}[]",:\\ events')), fc.nat(255)), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(bytes, (list) => {
        const body = Buffer.concat([Buffer.from('{"events":['), Buffer.from(list), Buffer.from(']}')]);
        try {
          const { events } = splitEvents(body, 1_000);
          for (const one of events) expect(body.includes(one)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(AuditValidationError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with JSON.parse on whether the whole is JSON, once each element is', () => {
    const soup = fc.array(
      fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '\\', '1', 'null', ' ', '"a"', '"events"'),
      {
        maxLength: 24,
      },
    );
    fc.assert(
      fc.property(soup, (tokens) => {
        const text = `{"events":[${tokens.join('')}]}`;
        let whole: unknown;
        let parts: unknown;
        try {
          whole = JSON.parse(text).events;
        } catch {
          whole = undefined;
        }
        try {
          const split = splitEvents(Buffer.from(text), 1_000);
          parts = split.events.map((one) => JSON.parse(one.toString()));
        } catch (error) {
          parts = undefined;
          // Duplicates are the envelope's to refuse where JSON.parse lets the last one win.
          if (error instanceof AuditValidationError && error.code === 'JSON_DUPLICATE_KEY') return;
        }
        expect(parts).toEqual(whole);
      }),
      { numRuns: 5_000 },
    );
  });

  it('stops keeping events past the limit', () => {
    expect(splitEvents(Buffer.from('{"events":[1,2,3,4,5]}'), 2).events).toHaveLength(3);
    expect(splitLines(Buffer.from('1\n2\n3\n4\n5'), 2)).toHaveLength(3);
  });

  it('takes time in proportion to the number of bytes, for any nesting and quoting', () => {
    const hostile = [
      `{"events":[${'['.repeat(2_000_000)}`,
      `{"events":["${'\\"'.repeat(1_000_000)}`,
      `{${'"a":1,'.repeat(300_000)}"events":[]`,
      `{"events":[${'1,'.repeat(1_000_000)}1]}`,
    ];
    for (const text of hostile) {
      const started = performance.now();
      try {
        splitEvents(Buffer.from(text), 1_000);
      } catch (error) {
        expect(error).toBeInstanceOf(AuditValidationError);
      }
      // It takes milliseconds. An algorithm with quadratic time would take hours, on any machine.
      expect(performance.now() - started).toBeLessThan(20_000);
    }
  });
});
