import fc from 'fast-check';

/** Keys that JavaScript treats in a way of its own, beside any others. */
export const anyKey = fc.oneof(
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty', 'toString', 'toJSON', 'length', '', '-0'),
  fc.integer({ min: 0, max: 4_294_967_296 }).map(String),
  fc.constantFrom('10', '9', '01', '1e3', '4294967294', '4294967295', '\u{1f600}', '\ufb33', '\u20ac', 'é'),
);

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, 0, 5e-324, 1e21, 1e-7, 1e-6, 123456789012345680000, Number.MAX_VALUE),
);

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('\u0000', '\u001f', '\u007f', '\u2028', '\\ud800', '"', '/', '\b\f\n\r\t\v', '\ufeff'),
);

/** An object with exactly these members, `__proto__` among them. */
export function objectOf(members: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [key, value] of members) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

function jsonWith(key: fc.Arbitrary<string>): fc.Arbitrary<unknown> {
  const members = (value: fc.Arbitrary<unknown>) =>
    fc.array(fc.tuple(key, value), { maxLength: 6, depthIdentifier: 'json' });
  return fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'json' },
      anyText,
      anyNumber,
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4, depthIdentifier: 'json' }),
      members(tie('value')).map(objectOf),
    ),
  })).value;
}

/** Any JSON value that has a canonical text. */
export const anyJson: fc.Arbitrary<unknown> = jsonWith(anyKey);

/** JSON values of few and ordinary names: often sorted on one level and not on the next. */
export const ordinaryJson: fc.Arbitrary<unknown> = jsonWith(fc.constantFrom('a', 'b', 'c', 'B', 'aa', 'é'));
