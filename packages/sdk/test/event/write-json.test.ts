import { limits, parseStrictJson, type Violation } from '@tallystick/event';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPlainJson } from '../../src/event/plain-json.ts';
import { writeJson } from '../../src/event/write-json.ts';

const written = (value: unknown): unknown => {
  const found: Violation[] = [];
  const text = writeJson(value, 2, { keys: limits.maxKeys }, found);
  expect(found).toEqual([]);
  return text === undefined ? undefined : parseStrictJson(text);
};

class Point {
  x = 1;
  #secret = 2;
  get sum() {
    return this.x + this.#secret;
  }
}

test.each<[string, unknown, unknown]>([
  [
    'numbers JSON lacks',
    { a: Number.NaN, b: Number.NEGATIVE_INFINITY, c: 2 ** 53, d: -0 },
    { a: 'NaN', b: '-Infinity', c: '9007199254740992', d: 0 },
  ],
  ['BigInt', { a: 9007199254740993n }, { a: '9007199254740993' }],
  ['functions and symbols', { a: () => 1, b: Symbol('s'), c: undefined, d: [() => 1] }, { d: [null] }],
  [
    'dates',
    { a: new Date(0), b: new Date(Number.NaN) },
    { a: '1970-01-01T00:00:00.000Z', b: 'Invalid Date' },
  ],
  [
    'toJSON',
    { a: new URL('https://x/'), b: { toJSON: () => ({ c: 1n }) } },
    { a: 'https://x/', b: { c: '1' } },
  ],
  [
    'Map and Set',
    { a: new Map([['k', 1]]), b: new Map([[1, 2]]), c: new Set([1, 'x']) },
    { a: { k: 1 }, b: [[1, 2]], c: [1, 'x'] },
  ],
  [
    'bytes',
    { a: Buffer.from('hi'), b: new Uint16Array([1]), c: new ArrayBuffer(1) },
    { a: 'base64:aGk=', b: 'base64:AQA=', c: 'base64:AA==' },
  ],
  ['pattern', { a: /x+/g }, { a: 'x+' }],
  [
    'boxed primitives',
    { a: new String('s'), b: new Number(1), c: new Boolean(false) },
    { a: 's', b: 1, c: false },
  ],
  ['class instances', { a: new Point() }, { a: { x: 1 } }],
  [
    'broken text',
    { 'a\0': 'x\ud800y', 'a\ufffd': 1, 'a\ud800': 2 },
    { 'a\ufffd\ufffd': 'x\ufffdy', 'a\ufffd': 1, 'a\ufffd\ufffd\ufffd': 2 },
  ],
])('%s', (_, value, expected) => {
  expect(written(value)).toEqual(expected);
});

test('errors keep name, message, code and cause, and no stack', () => {
  const error = Object.assign(new TypeError('bad', { cause: new Error('why') }), { code: 'E_BAD' });
  expect(written({ error })).toEqual({
    error: { name: 'TypeError', message: 'bad', code: 'E_BAD', cause: { name: 'Error', message: 'why' } },
  });
});

test('a value that contains itself', () => {
  const ring: Record<string, unknown> = { name: 'ring' };
  ring.self = ring;
  ring.list = [ring];
  expect(written(ring)).toEqual({ name: 'ring', self: '[Circular]', list: ['[Circular]'] });
  const shared = { a: 1 };
  expect(written({ one: shared, two: shared })).toEqual({ one: shared, two: shared });
});

test('members that throw when they are read', () => {
  const hostile = {
    get bad() {
      throw new Error('secret');
    },
    json: {
      toJSON() {
        throw new Error('secret');
      },
    },
    proxy: new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('secret');
        },
      },
    ),
    fine: 1,
  };
  expect(written(hostile)).toEqual({
    bad: '[Unreadable]',
    json: '[Unreadable]',
    proxy: '[Unreadable]',
    fine: 1,
  });
});

test('a member named __proto__ is data, and pollutes nothing', () => {
  const value = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}') as object;
  const found: Violation[] = [];
  expect(writeJson(value, 2, { keys: 10 }, found)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('a toJSON() that always returns an object with toJSON()', () => {
  const endless = { toJSON: (): unknown => ({ toJSON: endless.toJSON }) };
  const found: Violation[] = [];
  writeJson(endless, 2, { keys: 10 }, found);
  expect(found[0]?.code).toBe('EVENT_TOO_DEEP');
});

test('for plain JSON, JSON.stringify gives the same text as writeJson', () => {
  fc.assert(
    fc.property(
      fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withSparseArray: true }),
      (value) => {
        if (!isPlainJson(value, 2)) return;
        const quick = JSON.stringify(value);
        if (quick?.includes('\\u')) return;
        expect(writeJson(value, 2, { keys: limits.maxKeys }, [])).toBe(quick);
      },
    ),
    { numRuns: 1_000 },
  );
});
