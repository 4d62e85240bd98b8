import { AuditValidationError } from '@tallystick/event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOfEvents } from '../../../src/http/kernel/limits/body-budget.ts';
import { splitEvents, splitLines } from '../../../src/ingest/http/split-events.ts';
import { exceededBound } from '../../../src/input/json-bounds.ts';

/** JSON text in every way that a client may write it: white space between tokens, escapes in strings. */
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

  it.each([
    ['nested lists', `{"events":[${'['.repeat(50_000)}`],
    ['escaped quotes', `{"events":["${'\\"'.repeat(25_000)}`],
    ['many members', `{${'"a":1,'.repeat(8_000)}"events":[]}`],
    ['many events', `{"events":[${'1,'.repeat(25_000)}1]}`],
    ['blank space', `{"events":[${' '.repeat(50_000)}1${' '.repeat(50_000)}]}`],
  ])('reads every byte a bounded number of times: %s', (_, text) => {
    const { body, reads } = countingReads(text);
    try {
      splitEvents(body, 1_000);
    } catch (error) {
      expect(error).toBeInstanceOf(AuditValidationError);
    }
    expect(reads()).toBeGreaterThan(0);
    expect(reads()).toBeLessThan(6 * text.length);
  });
});

describe('splitLines', () => {
  // Each blank line once caused another read of all blank lines after it: a body of 8 MiB of them took minutes.
  it.each([
    ['blank lines', '\n'.repeat(5_000)],
    ['lines of blanks', `${' '.repeat(100)}\r\n`.repeat(500)],
    ['short lines', '1\n\n'.repeat(500)],
  ])('reads every byte a bounded number of times: %s', (_, text) => {
    const { body, reads } = countingReads(text);
    splitLines(body, 1_000);
    expect(reads()).toBeLessThan(6 * text.length);
  });

  it('trims lines and skips those that are empty', () => {
    const lines = splitLines(Buffer.from('\n 1 \r\n\n\t\r\n2\n   3'), 10);
    expect(lines.map(String)).toEqual(['1', '2', '3']);
  });
});

/** Pieces of which adversarial bodies are made, by repetition. */
const piece = fc.oneof(
  fc.constantFrom(
    '\n',
    '\r\n',
    ' ',
    '\t\n',
    '[',
    '{',
    ']',
    '}',
    '"',
    '\\',
    '\\"',
    '""',
    ',',
    ':',
    '[]',
    '{},',
    '"a":[',
    '1,',
  ),
  fc.constantFrom('"events":[', '{"events":[', '"events":', '],"events":[', '\u{0}', '\u{e9}', '\u{1f600}'),
);

const scans: readonly [string, (body: Buffer) => unknown][] = [
  ['splitEvents', (body) => splitEvents(body, 1_000)],
  ['splitLines', (body) => splitLines(body, 1_000)],
  ['exceededBound', (body) => exceededBound(body, { maxDepth: 1e9, maxValues: 1e9 })],
  ['costOfEvents', costOfEvents],
];

/** How often the scan reads a byte of the body. */
function readsOf(scan: (body: Buffer) => unknown, text: string): number {
  const { body, reads } = countingReads(text);
  try {
    scan(body);
  } catch (error) {
    expect(error).toBeInstanceOf(AuditValidationError);
  }
  return reads();
}

describe.each(scans)('%s', (_, scan) => {
  it('reads each byte a bounded number of times, whatever the body repeats', () => {
    const bodies = fc.tuple(piece, fc.array(piece, { minLength: 1, maxLength: 4 }), piece);
    fc.assert(
      fc.property(bodies, ([head, repeated, tail]) => {
        const unit = repeated.join('');
        const text = `${head}${unit.repeat(Math.ceil(4_096 / unit.length))}${tail}`;
        expect(readsOf(scan, text)).toBeLessThan(8 * Buffer.byteLength(text));
      }),
      { numRuns: 60 },
    );
  });

  // The counting body is slow, so the whole size of a body is read for one repeated text of each scan.
  it.each([
    ['\n', 1024 * 1024],
    ['{"events":[', 64 * 1024],
    ['[', 64 * 1024],
    [' \r\n', 64 * 1024],
  ])('reads at most in proportion when a body of %j grows eightfold, from %i bytes', (unit, from) => {
    const text = (bytes: number) => unit.repeat(Math.floor(bytes / unit.length));
    const small = readsOf(scan, text(from));
    const large = readsOf(scan, text(8 * from));
    expect(large).toBeLessThanOrEqual(8.1 * small);
    expect(large).toBeLessThan(8 * 8 * from);
  });
});

/** A body that counts how often one of its bytes is read. */
function countingReads(text: string): { readonly body: Buffer; readonly reads: () => number } {
  const bytes = Buffer.from(text);
  let reads = 0;
  const body = new Proxy(bytes, {
    get(target, property) {
      if (typeof property === 'string' && property.charCodeAt(0) < 0x3a) reads++;
      if (property === 'indexOf') {
        return (byte: number, from: number) => {
          const found = target.indexOf(byte, from);
          reads += (found < 0 ? target.length : found + 1) - from;
          return found;
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { body, reads: () => reads };
}
