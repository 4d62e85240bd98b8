import { createHash } from 'node:crypto';
import { canonicalize } from '@tallystick/event';

const texts: readonly (readonly [string, string])[] = [
  ['null', 'null'],
  ['an empty object', ' { } '],
  ['an empty array', '[\n]'],
  ['members in order', '{"b":1,"a":2}'],
  ['order of UTF-16 code units, not of code points', '{"\\ufb33":1,"\\ud83d\\ude00":2,"\\u20ac":3,"a":4}'],
  ['a prefix first', '{"ab":1,"a":2,"":3}'],
  ['upper case before lower case', '{"a":1,"B":2,"_":3}'],
  ['integer-like names', '{"9":1,"10":2,"1":3,"01":4,"4294967295":5,"-1":6}'],
  [
    '__proto__ and its like',
    '{"z":{"__proto__":{"y":1,"x":2}},"constructor":1,"__proto__":null,"toString":[]}',
  ],
  ['integer-like names in depth', '[{"b":{"2":[{"d":1,"c":2}],"10":0},"a":0}]'],
  ['escapes that must be', '"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\"'],
  ['escapes that must not be', '"\\/\\u007f\\u0080\\u2028\\u2029\\ufeff\\u0041"'],
  ['a surrogate pair', '"\\uD83D\\uDE00"'],
  ['an escaped backslash before ud800', '"\\\\ud800"'],
  ['no normalisation', '["\\u00e9","e\\u0301"]'],
  ['minus zero', '[-0,-0.0,0e5]'],
  ['integers', '[1,-1,10,9007199254740991,-9007199254740991]'],
  ['fractions', '[1.0,1.50,0.1,-0.25,100e-2]'],
  ['exponents', '[1e20,1e21,1e-6,1e-7,1.5E300,5e-324,1.7976931348623157e308]'],
  ['an integer that a double can not hold', '9007199254740993'],
  [
    'the sample of RFC 8785 section 3.2.2',
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
  ],
  [
    'the sample of RFC 8785 section 3.2.3',
    '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}',
  ],
];

/** RFC 8785 appendix B: the bits of a double and its text. */
export const appendixB: readonly (readonly [string, string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

const notCanonical: readonly (readonly [string, string])[] = [
  ['white space', '{"a": 1}'],
  ['a final newline', '{"a":1}\n'],
  ['members out of order', '{"b":1,"a":2}'],
  ['integer-like members out of order', '{"9":1,"10":2}'],
  ['order of code points', '{"\ufb33":1,"\u{1f600}":2}'],
  ['a duplicate member', '{"a":1,"a":1}'],
  ['a duplicate member, once escaped', '{"a":1,"\\u0061":1}'],
  ['a needless escape', '"\\u0041"'],
  ['an escaped slash', '"\\/"'],
  ['an upper-case escape', '"\\u001F"'],
  ['a long escape where there is a short one', '"\\u000a"'],
  ['minus zero', '-0'],
  ['a trailing zero', '1.0'],
  ['an exponent without its sign', '1e21'],
  ['an upper-case exponent', '1E+21'],
  ['an integer that a double can not hold', '9007199254740993'],
  ['a number past the largest', '1e999'],
  ['an escaped lone surrogate', '"\\ud800"'],
  ['a lone surrogate in a name', '{"\\udc00":1}'],
  ['a byte-order mark', '\ufeff{}'],
  ['no JSON', '{"a":1'],
  ['NaN', 'NaN'],
  ['a leading zero', '01'],
  ['a trailing comma', '[1,]'],
  ['two values', '1 2'],
  ['nothing', ''],
];

export function canonicalVectors(): unknown {
  return {
    description:
      'RFC 8785. canonical: the canonical text of the JSON text, and the SHA-256 of its UTF-8. numbers: the text of a double, given by its bits. not_canonical: texts that are not the canonical form of any value, though some of them are JSON.',
    canonical: texts.map(([name, text]) => {
      const canonical = canonicalize(JSON.parse(text));
      return { name, text, canonical, sha256: createHash('sha256').update(canonical).digest('hex') };
    }),
    numbers: appendixB.map(([bits, text]) => ({ bits, text })),
    not_canonical: notCanonical.map(([name, text]) => ({ name, text })),
  };
}
