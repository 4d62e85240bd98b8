import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageOutline } from '../../src/mcp/message-outline.ts';

function outlineOf(text: string, size: number) {
  const outline = new MessageOutline();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) outline.push(bytes.subarray(at, at + size));
  return outline.response();
}

const result = fc.record(
  {
    isError: fc.boolean(),
    content: fc.jsonValue(),
    resultType: fc.constant('complete'),
    error: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

test('the outline of any response is that of the parsed message, however it is cut', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.maxSafeInteger()),
      result,
      fc.boolean(),
      fc.constantFrom(0, 1),
      fc.integer({ min: 1, max: 40 }),
      (id, value, idFirst, space, size) => {
        const message = idFirst
          ? { id, jsonrpc: '2.0', result: value }
          : { result: value, jsonrpc: '2.0', id };
        const raw = JSON.stringify(value, null, space).split('\n').join(' ');
        const text = JSON.stringify(message, null, space).split('\n').join(' ');
        const response = outlineOf(text, size);
        expect(response?.id).toEqual(id);
        expect(response?.end).toMatchObject({
          status: value.isError === true ? 'failure' : 'success',
          ...(space === 0 && {
            details: {
              result_bytes: Buffer.byteLength(raw),
              result_bytes_digest: `sha256:${createHash('sha256').update(raw).digest('hex')}`,
            },
          }),
        });
      },
    ),
  );
});

test('errors, requests and notifications', () => {
  expect(outlineOf('{"error":{"message":"x\\"}","code":-32603,"data":{"code":1}},"id":"a"}', 3)).toEqual({
    id: 'a',
    end: { status: 'failure', errorCode: 'JSON_RPC_-32603' },
  });
  expect(outlineOf('{"id":1,"method":"sampling/createMessage","params":{"result":{}}}', 5)).toBeUndefined();
  expect(outlineOf('{"method":"notifications/progress","params":{"id":1}}', 5)).toBeUndefined();
  expect(outlineOf('[{"id":1,"result":{}}]', 5)).toBeUndefined();
});
