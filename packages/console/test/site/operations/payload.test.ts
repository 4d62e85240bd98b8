import { hostileStrings } from '@tallystick/testing';
import { expect, it } from 'vitest';
import { payloadOf } from '../../../src/site/operations/payload.ts';

const shown = (bytes: string | Uint8Array) => payloadOf(Buffer.from(bytes).toString('base64'));

it('shows JSON in lines, and other texts as they are', () => {
  expect(shown('{"a":{"b":1}}')).toEqual({ kind: 'text', text: '{\n  "a": {\n    "b": 1\n  }\n}' });
  for (const text of ['', 'not JSON {', ...hostileStrings])
    expect(shown(text)).toEqual({ kind: 'text', text });
});

it('changes nothing that the service received: numbers beyond JavaScript, a member that is there twice', () => {
  for (const text of ['{"a":9007199254740993}', '{"a":1,"a":2}', '[1.0]', '{"__proto__":1,"__proto__":2}'])
    expect(shown(text)).toEqual({ kind: 'text', text });
});

it('shows bytes that are no text as digits', () => {
  expect(shown(Uint8Array.of(0xff, 0x00, 0x41))).toEqual({ kind: 'bytes', text: 'ff 00 41' });
});
