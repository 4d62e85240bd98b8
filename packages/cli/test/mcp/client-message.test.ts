import { canonicalize, type Json } from '@tallystick/event';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readClientMessage } from '../../src/mcp/client-message.ts';
import { itemSpans, memberSpan } from '../../src/mcp/json-spans.ts';

const read = (text: string | Uint8Array) =>
  readClientMessage(typeof text === 'string' ? Buffer.from(text) : text);
const call = (params: unknown, id: unknown = 1) =>
  JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params });

test('a call keeps its id, its type, and every byte but the arguments', () => {
  const text =
    '{ "future":1.0, "id":"1","params":{"arg\\u0075ments": {"b":1.50,"a":[ 1 ]} ,"name":"x","_meta":{"progressToken":7}},"method":"tools\\/call"}\r';
  const message = read(text);
  expect(message).toMatchObject({
    kind: 'call',
    call: { id: '1', name: 'x', progressToken: 7, statesVersion: false, arguments: { a: [1], b: 1.5 } },
  });
  if (message.kind !== 'call') throw new Error('not a call');
  expect(message.call.withArguments(message.call.arguments)).toBe(
    text.replace('{"b":1.50,"a":[ 1 ]}', '{"a":[1],"b":1.5}'),
  );
});

test('a call without arguments stays without', () => {
  const message = read(call({ name: 'x' }));
  expect(message.kind === 'call' && message.call.withArguments({})).toBe(call({ name: 'x' }));
});

/** Texts that some parser reads as a tool call, and another one as something else. */
const smuggled: readonly (readonly [what: string, text: string | Uint8Array])[] = [
  ['a repeated method', '{"id":1,"method":"tools/call","method":"ping","params":{"name":"x"}}'],
  ['repeated params', '{"id":1,"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}'],
  ['a repeated name', '{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}'],
  ['a repeated argument', '{"id":1,"method":"tools/call","params":{"name":"a","arguments":{"p":1,"p":2}}}'],
  ['Method for a parser that ignores case', '{"id":1,"Method":"tools/call","params":{"name":"x"}}'],
  ['paramſ, which folds to params', '{"id":1,"method":"tools/call","paramſ":{"name":"x"}}'],
  ['TOOLS/Call for a server that ignores case', '{"id":1,"method":"TOOLS/Call","params":{"name":"x"}}'],
  ['tools/call with a space at its end', '{"id":1,"method":"tools/call ","params":{"name":"x"}}'],
  [
    'tools/call for a server that stops at U+0000',
    '{"id":1,"method":"tools/call\\u0000x","params":{"name":"x"}}',
  ],
  ['tools/call with an invisible character', '{"id":1,"method":"tools/\u200bcall","params":{"name":"x"}}'],
  ['a prototype for a server that copies the message', '{"id":1,"__proto__":{"method":"tools/call"}}'],
  ['a prototype in params', '{"id":1,"method":"tools/call","params":{"name":"a","__proto__":{"name":"b"}}}'],
  ['Name in params', call({ name: 'a', Name: 'b' })],
  ['ARGUMENTS in params', call({ name: 'a', ARGUMENTS: {} })],
  ['a line that a carriage return splits', `[1,\r${call({ name: 'x' })}\r]`],
  ['two messages', `${call({ name: 'x' })}${call({ name: 'x' })}`],
  [
    'invalid UTF-8',
    Buffer.concat([Buffer.from('{"method":"tools/c'), Buffer.from([0xff]), Buffer.from('all"}')]),
  ],
  ['a byte order mark', `\ufeff${call({ name: 'x' })}`],
  ['a method that is a list', '{"id":1,"method":["tools/call"],"params":{"name":"x"}}'],
  ['a call without an id', '{"method":"tools/call","params":{"name":"x"}}'],
  ['a call whose id is null', call({ name: 'x' }, null)],
  ['an id beyond 2^53', '{"id":9007199254740993,"method":"tools/call","params":{"name":"x"}}'],
  ['a request whose id is null', '{"id":null,"method":"ping"}'],
  ['a request whose id is a fraction', '{"id":1.5,"method":"ping"}'],
  ['a request whose id is long', JSON.stringify({ id: 'x'.repeat(257), method: 'ping' })],
  ['an id without a method, a result or an error', '{"id":1}'],
  ['a response with both a result and an error', '{"id":1,"result":{},"error":{}}'],
  ['a batch with no message', '[{"method":"x"},{"id":1}]'],
  ['a name with an invisible character', call({ name: 'x\u200by' })],
  ['a name that ends at U+0000', call({ name: 'x\0y' })],
  ['a name with a space at its end', call({ name: 'x ' })],
  ['a name in wide letters', call({ name: 'ｘ' })],
  ['arguments that are a list', call({ name: 'x', arguments: [1] })],
  ['arguments that are null', call({ name: 'x', arguments: null })],
  ['a name that is a number', call({ name: 7 })],
  ['a batch with a wrong call', `[${call({ name: 7 })}]`],
  ['a text', '"tools/call"'],
  ['nothing', 'tools/call'],
];

test.each(smuggled)('%s is refused', (_, text) => {
  expect(read(text)).toMatchObject({ kind: 'refused' });
});

test.each([
  ['{"method":"notifications/future","params":{"n":12345678901234567890}}'],
  ['{"id":1,"result":{"method":"tools/call"}}'],
  ['{"id":null,"error":{"code":-32700,"message":"x"}}'],
  ['{"method":"notifications/cancelled","params":{}}'],
])('%s passes', (text) => {
  expect(read(text)).toEqual({ kind: 'other' });
});

test('a request that is not a call passes with its id and method', () => {
  const request = { kind: 'request', id: '1', method: 'ping' };
  expect(read('{"jsonrpc":"2.0","id":"1","method":"ping"}')).toEqual(request);
});

test('a batch without a request may pass as it is', () => {
  const texts = ['{"method":"x"}', '{"id":1,"result":{}}'];
  expect(read(`[${texts.join()}]`)).toEqual({ kind: 'batch', texts, mustSplit: false });
});

test('a batch with a request is split', () => {
  expect(read('[{"method":"x"},{"id":1,"method":"ping"}]')).toEqual({
    kind: 'batch',
    texts: ['{"method":"x"}', '{"id":1,"method":"ping"}'],
    mustSplit: true,
  });
});

test('a batch with a call is split', () => {
  const one = call({ name: 'x' });
  expect(read(` [ {"method":"ping","id":2} , ${one} ] `)).toEqual({
    kind: 'batch',
    texts: ['{"method":"ping","id":2}', one],
    mustSplit: true,
  });
});

describe('spans', () => {
  test('find every member and item of any JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2), (object, space) => {
        const text = JSON.stringify(object, null, space);
        for (const [name, value] of Object.entries(object)) {
          const { start, end } = memberSpan(text, 0, name)!;
          expect(JSON.parse(text.slice(start, end))).toEqual(JSON.parse(JSON.stringify(value)));
        }
        const list = JSON.stringify(Object.values(object), null, space);
        expect(
          itemSpans(list, 0).map(({ start, end }) =>
            canonicalize(JSON.parse(list.slice(start, end)) as Json),
          ),
        ).toEqual(Object.values(JSON.parse(text) as object).map((value) => canonicalize(value as Json)));
      }),
    );
  });
});
