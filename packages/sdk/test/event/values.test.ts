import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { createTestAudit } from '../../src/testing/index.ts';
import { someEvent } from '../support/events.ts';

class Point {
  x = 1;
  get sum() {
    return this.x;
  }
}

const ring: Record<string, unknown> = { name: 'ring' };
ring.self = ring;

/** `Temporal.Instant` where the runtime has it. */
const { Temporal } = globalThis as { Temporal?: { Instant: { from(text: string): object } } };
const instant = Temporal?.Instant.from('2026-03-01T12:00:00Z') ?? { toJSON: () => '2026-03-01T12:00:00Z' };

/** One example for each row of the table in docs/sdk/values.md, by the row's first column. */
const examples: { readonly [row: string]: readonly [value: object, written: object] } = {
  '`undefined`, function, symbol': [
    { a: undefined, b: () => 1, c: Symbol('s'), d: [() => 1] },
    { d: [null] },
  ],
  '`NaN`, `Infinity`, integers beyond ±(2^53−1), `BigInt`': [
    { a: Number.NaN, b: -Infinity, c: 2 ** 53, d: 9007199254740993n },
    { a: 'NaN', b: '-Infinity', c: '9007199254740992', d: '9007199254740993' },
  ],
  '`Date`': [
    { a: new Date(0), b: new Date(Number.NaN) },
    { a: '1970-01-01T00:00:00.000Z', b: 'Invalid Date' },
  ],
  'anything with `toJSON()`': [
    { a: { toJSON: (key: string) => `key ${key}` }, b: [{ toJSON: (key: string) => `key ${key}` }] },
    { a: 'key a', b: ['key 0'] },
  ],
  '`Temporal` objects': [{ a: instant }, { a: '2026-03-01T12:00:00Z' }],
  '`URL`': [{ a: new URL('https://x/?a=1') }, { a: 'https://x/?a=1' }],
  '`URLSearchParams`, `Headers`, `FormData`': [
    {
      a: new URLSearchParams('x=1&y=2'),
      b: new URLSearchParams('x=1&x=2'),
      c: new Headers({ Accept: 'text/html' }),
    },
    {
      a: { x: '1', y: '2' },
      b: [
        ['x', '1'],
        ['x', '2'],
      ],
      c: { accept: 'text/html' },
    },
  ],
  '`Blob`, `File`': [
    { a: new File(['hi'], 'a.txt', { type: 'text/plain' }) },
    { a: { name: 'a.txt', type: 'text/plain', size: 2 } },
  ],
  '`Map`': [
    { a: new Map([['k', 1]]), b: new Map([[1, 2]]) },
    { a: { k: 1 }, b: [[1, 2]] },
  ],
  '`Set`': [{ a: new Set([1, 'x']) }, { a: [1, 'x'] }],
  '`Error`': [
    {
      a: Object.assign(new TypeError('bad', { cause: new Error('why') }), {
        code: 'E_BAD',
        status: 500,
        meta: { x: 1 },
      }),
    },
    {
      a: {
        name: 'TypeError',
        message: 'bad',
        code: 'E_BAD',
        status: 500,
        meta: { x: 1 },
        cause: { name: 'Error', message: 'why' },
      },
    },
  ],
  '`AggregateError`': [
    { a: new AggregateError([new Error('one'), 'two'], 'all failed') },
    {
      a: {
        name: 'AggregateError',
        message: 'all failed',
        errors: [{ name: 'Error', message: 'one' }, 'two'],
      },
    },
  ],
  'a class instance in a member of an error': [
    { a: Object.assign(new Error('x'), { socket: new Point(), at: new Date(0) }) },
    { a: { name: 'Error', message: 'x', socket: '[Point]', at: '1970-01-01T00:00:00.000Z' } },
  ],
  '`Buffer`, typed array, `DataView`, `ArrayBuffer`, `SharedArrayBuffer`': [
    {
      a: Buffer.from('hi'),
      b: new Uint16Array([1]),
      c: new ArrayBuffer(1),
      d: new SharedArrayBuffer(1),
      e: new Float32Array([1]),
    },
    { a: 'base64:aGk=', b: 'base64:AQA=', c: 'base64:AA==', d: 'base64:AA==', e: 'base64:AACAPw==' },
  ],
  '`RegExp`': [{ a: /x+/g }, { a: 'x+' }],
  'boxed primitives': [
    { a: new String('s'), b: new Number(1), c: new Boolean(false), d: Object(1n) },
    { a: 's', b: 1, c: false, d: '1' },
  ],
  'objects of another realm (`vm`, jsdom)': [
    runInNewContext(
      "({ a: new Date(0), b: new Map([['k', 1]]), c: new Set([1]), d: new RangeError('r'), e: new ArrayBuffer(1), f: /x/, g: new String('s'), h: [1], i: { j: 1 } })",
    ),
    {
      a: '1970-01-01T00:00:00.000Z',
      b: { k: 1 },
      c: [1],
      d: { name: 'RangeError', message: 'r' },
      e: 'base64:AA==',
      f: 'x',
      g: 's',
      h: [1],
      i: { j: 1 },
    },
  ],
  'another class instance': [{ a: new Point() }, { a: { x: 1 } }],
  'an object that contains itself': [ring, { name: 'ring', self: '[Circular]' }],
  'a getter, proxy or `toJSON` that throws': [
    {
      get a() {
        throw new Error('secret');
      },
      b: {
        toJSON() {
          throw new Error('secret');
        },
      },
    },
    { a: '[Unreadable]', b: '[Unreadable]' },
  ],
  'lone surrogates and U+0000 in text': [{ a: 'x\ud800y\0' }, { a: 'x\ufffdy\ufffd' }],
};

const guide = readFileSync(new URL('../../../../docs/sdk/values.md', import.meta.url), 'utf8');
const rows = [...guide.matchAll(/^\| (.+?) \| .+ \|$/gm)].map(([, value]) => value!).slice(1);

test('each row of the table has an example', () => {
  expect(rows).toEqual(Object.keys(examples));
});

test.each(rows)('%s', (row) => {
  const [value, written] = examples[row]!;
  const audit = createTestAudit();
  expect(audit.emitter.emit(someEvent({ context: value as Record<string, unknown> })).state).toBe('buffered');
  expect(audit.events[0]?.context).toEqual(written);
});

test('toJSON() of a whole member is called with its name', () => {
  const audit = createTestAudit();
  audit.emitter.emit(someEvent({ context: { toJSON: (key: string) => ({ key }) } }));
  expect(audit.events[0]?.context).toEqual({ key: 'context' });
});
