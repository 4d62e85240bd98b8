import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyArguments } from '../../src/gate/arguments.ts';
import { GateError } from '../../src/gate/errors.ts';

/** Integers beyond 2^53 are refused, and tested below. */
const withSafeNumbers = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_name, member: unknown) =>
    typeof member === 'number' && Number.isInteger(member) && !Number.isSafeInteger(member) ? 7 : member,
  );

test('any JSON is copied as it is, and the copy is frozen', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }).map(withSafeNumbers), (value) => {
      const copy = copyArguments(value);
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
      if (typeof copy === 'object' && copy !== null) expect(Object.isFrozen(copy)).toBe(true);
    }),
  );
});

test('a getter is read once: the copy holds what it answered first', () => {
  let reads = 0;
  const hostile = {
    get path() {
      reads++;
      return reads === 1 ? '/tmp/report' : '/etc/shadow';
    },
  };
  expect(copyArguments(hostile)).toEqual({ path: '/tmp/report' });
  expect(reads).toBe(1);
});

test('a proxy is read once per member', () => {
  const reads: string[] = [];
  const proxy = new Proxy({ a: 1, b: [2] } as Record<string, unknown>, {
    get(target, name) {
      reads.push(String(name));
      return Reflect.get(target, name) as unknown;
    },
  });
  expect(copyArguments(proxy)).toEqual({ a: 1, b: [2] });
  expect(reads).toEqual(['a', 'b']);
});

test('a member named __proto__ stays a member', () => {
  const copy = copyArguments(JSON.parse('{"__proto__":{"admin":true}}')) as object;
  expect(JSON.stringify(copy)).toBe('{"__proto__":{"admin":true}}');
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
});

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
const circular: Record<string, unknown> = {};
circular.self = circular;

describe('refused', () => {
  test.each<[string, unknown]>([
    ['a function', { f: () => 1 }],
    ['a symbol', { s: Symbol('s') }],
    ['a bigint', { n: 1n }],
    ['NaN', { n: Number.NaN }],
    ['an integer beyond 2^53', { n: 2 ** 53 }],
    ['a date', { d: new Date(0) }],
    ['a map', new Map([['a', 1]])],
    ['a class instance', { e: new Error('e') }],
    ['an object that contains itself', circular],
    ['too many levels', deep(29)],
    ['too many members', Object.fromEntries(Array.from({ length: 1_501 }, (_, i) => [`k${i}`, 0]))],
    ['an endless list', { length: 2 ** 31, __proto__: Array.prototype }],
    ['too much text', { t: 'x'.repeat(64 * 1024 + 1) }],
    ['U+0000', { t: 'a\0b' }],
    ['a lone surrogate', { t: '\ud800' }],
    ['U+0000 in a name', { 'a\0': 1 }],
    [
      'a getter that throws',
      Object.defineProperty({}, 'x', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
    ],
    [
      'a proxy that throws for its names',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('no');
          },
        },
      ),
    ],
    [
      'a revoked proxy',
      (() => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      })(),
    ],
  ])('%s', (_name, value) => {
    expect(() => copyArguments(value)).toThrow(GateError);
  });
});
