import fc from 'fast-check';

/** A JSON Schema, as the OpenAPI document of the service has them. */
export type Schema = { readonly [keyword: string]: unknown };

/** Texts that a database, a decoder or a calendar may fail on. `\u{d800}` is a lone surrogate. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u{d800}',
  'a\u{dc00}',
  '\u{feff}',
  "'; drop table audit_records; --",
  '%00',
  '../../etc/passwd',
  '__proto__',
  'null',
  'NaN',
  '-1',
  '1e400',
  '9007199254740991',
  '9007199254740992',
  '2147483648',
  '9223372036854775808',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '0000-12-31T23:59:59.999999999Z',
  '9999-12-31T23:59:59.999999999Z',
  '10000-01-01T00:00:00Z',
  '+275760-09-13T00:00:00Z',
  '2025-02-30T00:00:00Z',
  '2025-06-30T23:59:60Z',
  'infinity',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-7fff-bfff-ffffffffffff',
  '😀'.repeat(300),
  'x'.repeat(5_000),
];

const hostileNumbers = [0, -0, -1, 0.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e308, Number.MIN_VALUE, -(2 ** 63)];

/** A text of any kind, hostile ones most often. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...hostileTexts), weight: 4 },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
);

/** A JSON value of any kind: small, deep, or with hostile texts. */
const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.constantFrom<unknown>(...hostileNumbers, null, true, [], {}, [[]], [null]),
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(40, 2_000).map(nested),
  fc.dictionary(hostileText, hostileText, { maxKeys: 4 }),
);

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

/** Values of a schema, in which about one member in six is hostile instead. */
export function arbitraryOf(
  schema: Schema,
  components: { readonly [name: string]: Schema },
): fc.Arbitrary<unknown> {
  return fc.oneof(
    { arbitrary: fittingValue(schema, components), weight: 5 },
    { arbitrary: hostileValue, weight: 1 },
  );
}

function fittingValue(
  schema: Schema,
  components: { readonly [name: string]: Schema },
): fc.Arbitrary<unknown> {
  const { $ref, anyOf, oneOf, enum: values, type } = schema;
  if (typeof $ref === 'string') return fittingValue(components[$ref.split('/').at(-1)!]!, components);
  const alternatives = (anyOf ?? oneOf) as readonly Schema[] | undefined;
  if (alternatives !== undefined) return fc.oneof(...alternatives.map((one) => arbitraryOf(one, components)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  switch (Array.isArray(type) ? type[0] : type) {
    case 'integer':
    case 'number':
      return fc.oneof(fc.nat(300), fc.constantFrom(...[schema.minimum, schema.maximum].filter(isNumber), 1));
    case 'boolean':
      return fc.boolean();
    case 'string':
      return fittingText(schema);
    case 'array':
      return fc.array(arbitraryOf((schema.items ?? {}) as Schema, components), { maxLength: 4 });
    case 'object':
      return fittingObject(schema, components);
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function fittingText({ pattern, format }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    const years = fc.constantFrom('0001', '1970', '2025', '9999');
    return years.map((year) => `${year}-06-15T12:00:00.5Z`);
  }
  if (typeof pattern !== 'string') return fc.string({ minLength: 1, maxLength: 20 });
  try {
    return fc.stringMatching(new RegExp(pattern));
  } catch {
    // fast-check does not know look-aheads.
    return hostileText;
  }
}

function fittingObject(
  schema: Schema,
  components: { readonly [name: string]: Schema },
): fc.Arbitrary<object> {
  const properties = (schema.properties ?? {}) as { readonly [name: string]: Schema };
  const model = Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [name, arbitraryOf(member, components)]),
  );
  const required = (schema.required ?? []) as readonly string[];
  return fc.record(model, { requiredKeys: required.filter((name) => Object.hasOwn(model, name)) });
}
