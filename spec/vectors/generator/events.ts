import { canonicalize } from '@tallystick/event';
import { event, type Fields } from './fixture.ts';

const text = (changes: Fields = {}) => JSON.stringify(event(1, changes));
/** An event whose `metadata.x` is written as given. */
const raw = (json: string) => text({ metadata: { x: '#' } }).replace('"#"', () => json);
const hash = 'ab'.repeat(32);

const valid: readonly (readonly [string, Fields])[] = [
  ['nothing but what is required', {}],
  [
    'every field',
    {
      event_category: 'content',
      event_action: 'publish',
      severity: 'warning',
      actor_permissions: ['content:write'],
      on_behalf_of: [
        { actor_type: 'agent', actor_id: 'planner' },
        { actor_type: 'user', actor_id: 'maria' },
      ],
      target_type: 'page',
      target_id: 'p-1',
      investigation_id: 'inv-1',
      alert_id: 'al-1',
      entity_ids: ['e-1', 'e-2'],
      correlation_id: 'c-1',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      span_id: '00f067aa0ba902b7',
      parent_id: '00000000-0000-4000-8000-000000000000',
      idempotency_key: 'order-17:publish',
      source_ip: '2001:db8::1',
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0)',
      context: { llm_model_id: 'm-1' },
      decision: { confidence: 0.5 },
      outcome: { outcome_status: 'success', error_code: 'E1', error_message: 'none' },
      proof: {
        type: 'hash',
        hash,
        url: 'https://example.com/',
        data: {},
        captured_at: '2026-03-01T12:00:00Z',
      },
      event_data: {
        version: '1',
        service: 's',
        operation: 'o',
        status: 'ok',
        payload: {},
        source_payload: {},
      },
      metadata: { duration_ms: 12.5 },
      namespace: 'prod',
      cluster: 'eu-1',
      retention_days: 2555,
      is_sensitive: true,
      event_version: '1.0',
      sealed: { '/metadata/ip': hash, '/context/a~1b/0': hash },
    },
  ],
  ['29 February of a leap year, nine digits', { timestamp: '2024-02-29T23:59:59.123456789Z' }],
  ['the earliest year', { timestamp: '0001-01-01T00:00:00Z' }],
  ['an hour ahead of the clock', { timestamp: '2026-03-01T13:00:00.000Z' }],
  ['a UUIDv7 an hour ahead of the clock', { audit_id: '019ca97b-f880-7000-8000-000000000001' }],
  ['a UUIDv4 whose digits would be a time', { audit_id: 'ffffffff-ffff-4fff-bfff-ffffffffffff' }],
  ['the longest tenant', { tenant_id: `A${'@._:-9'.repeat(21)}z` }],
  ['an identifier of 512 UTF-16 units', { cluster: '\u{1f600}'.repeat(256) }],
  [
    'names of prototypes inside an object',
    { metadata: { constructor: 1, hasOwnProperty: 2, '9': 3, '10': 4 } },
  ],
  ['the largest integers', { metadata: { x: [9007199254740991, -9007199254740991, 0.1] } }],
  ...[
    '0.0.0.0',
    '255.249.99.10',
    '1:2:3:4:5:6:7:8',
    'FE80::ABCD',
    '::',
    '::1',
    '1::',
    '1:2:3:4:5:6:7::',
    '::2:3:4:5:6:7:8',
    '1:2:3::5:6:7:8',
    '::ffff:192.0.2.1',
    '1:2:3:4:5:6:192.0.2.1',
    '1:2:3:4:5::192.0.2.1',
  ].map((address): readonly [string, Fields] => [`the address ${address}`, { source_ip: address }]),
  ['no delegation', { on_behalf_of: [] }],
  ['a user agent of 1,024 UTF-16 units', { user_agent: 'x'.repeat(1_024) }],
  ['a type that only begins like a reserved one', { event_type: 'auditor.hired' }],
  ...[
    'tally',
    'tallysticks',
    'tallystick2',
    'tallystick-relay',
    'my tallystick',
    't\u05d0llystick',
    `tallystick${'\u200b'.repeat(71)}`,
  ].map((id): readonly [string, Fields] => [
    `the system actor ${escaped(id)}`,
    { actor_type: 'system', actor_id: id },
  ]),
  ['a person with the name of the service', { actor_type: 'user', actor_id: 'Tallystick' }],
  ['a service with the name of the audit service', { actor_type: 'service', actor_id: 'tallystick' }],
  ['a source with the name of the audit service', { source_service: 'tallystick' }],
];

/** For names of vectors: characters outside of ASCII as escapes, so that a reader sees which they are. */
function escaped(text: string): string {
  const json = JSON.stringify(text).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return json.length > 120 ? `${json.slice(0, 60)}… of ${text.length} units` : json;
}

/** What the table of spec/event.md replaces by each letter of the name. */
const shapes: readonly (readonly [letter: string, shapes: string])[] = [
  ['a', '4@\u0251\u03b1\u0430\u2c81\ua4ee\uab7a'],
  ['c', '\u03c2\u03c3\u0441\u1d04\u2ca5\ua4da\uabaf'],
  ['k', '\u0138\u03ba\u043a\u1d0b\u2c95\ua4d7\uabb6'],
  ['l', '1i|\u0131\u01c0\u0269\u03b9\u0456\u04cf\u05c0\u0627\u2223\u2373\u2c93\ua4e1\ua4f2\uab75\uabae'],
  ['s', '$5\u0282\u0455\u057f\ua4e2\ua731\uabaa'],
  ['t', '\u03c4\u0442\u1d1b\u2ca7\ua4d4\uab72'],
  ['y', '\u0263\u028f\u03b3\u03c5\u0443\u04af\u2ca9\ua4ec\uab8d'],
];
const lookAlikes = [
  'Tallystick',
  'TALLYSTICK',
  'ta\u0301llystick',
  't\u00e1llystick',
  ' tally stick ',
  '\u202etally-stick',
  'tally\u200bstick',
  `tallystick${'\u200b'.repeat(70)}`,
  '\uff34\uff41\uff4c\uff4c\uff59\uff53\uff54\uff49\uff43\uff4b',
  'tally\ufb06ick',
  '\u{1d42d}allystick',
  'tallystic\u212a',
  'tallyst\u0130ck',
  'TALLYST\u0399CK',
  'TALL\u03a5STICK',
  'tallysti\u03f2k',
  'taIIystick',
  'ta11yst1ck',
  '\ua4d4\ua4ee\ua4e1\ua4e1\ua4ec\ua4e2\ua4d4\ua4f2\ua4da\ua4d7',
  '\u13a2\u13aa\u13de\u13de\u13bd\u13da\u13a2\u13a5\u13df\u13e6',
  ...shapes.flatMap(([letter, characters]) =>
    Array.from(characters, (character) => 'tallystick'.replace(letter, character)),
  ),
];

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

interface Invalid {
  readonly name: string;
  readonly text?: string;
  readonly base64?: string;
  /** Replaces `#` in the text by `times` repetitions of `unit`. */
  readonly fill?: { readonly unit: string; readonly times: number };
  readonly code: string;
  readonly pointer: string;
}

const field = (name: string, changes: Fields, code: string, pointer: string): Invalid => ({
  name,
  text: text(changes),
  code,
  pointer,
});

const invalid: readonly Invalid[] = [
  { name: 'no JSON', text: '{', code: 'JSON_INVALID', pointer: '' },
  { name: 'a byte-order mark', text: `\ufeff${text()}`, code: 'JSON_INVALID', pointer: '' },
  { name: 'a raw U+0000', text: raw('"\u0000"'), code: 'JSON_INVALID', pointer: '' },
  {
    name: '200 KB of brackets',
    text: '#',
    fill: { unit: '[', times: 200_000 },
    code: 'JSON_INVALID',
    pointer: '',
  },
  {
    name: 'a duplicate name in depth',
    text: raw('[{"a":{"b":1,"c":2,"b":1}}]'),
    code: 'JSON_DUPLICATE_KEY',
    pointer: '',
  },
  {
    name: 'a duplicate name, once escaped',
    text: raw('{"a":1,"\\u0061":1}'),
    code: 'JSON_DUPLICATE_KEY',
    pointer: '',
  },
  {
    name: 'a byte that is no UTF-8',
    base64: Buffer.from([0x7b, 0xff, 0x7d]).toString('base64'),
    code: 'UTF8_INVALID',
    pointer: '',
  },
  {
    name: 'an overlong encoding',
    base64: Buffer.from([0x22, 0xc0, 0x80, 0x22]).toString('base64'),
    code: 'UTF8_INVALID',
    pointer: '',
  },
  {
    name: 'an encoded surrogate',
    base64: Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]).toString('base64'),
    code: 'UTF8_INVALID',
    pointer: '',
  },
  {
    name: 'too large',
    text: raw('"#"'),
    fill: { unit: 'x', times: 262_144 },
    code: 'EVENT_TOO_LARGE',
    pointer: '',
  },
  {
    name: 'too large in UTF-8',
    text: raw('"#"'),
    fill: { unit: '€', times: 87_382 },
    code: 'EVENT_TOO_LARGE',
    pointer: '',
  },
  {
    name: 'too large in canonical form',
    text: raw('[#1]'),
    fill: { unit: '1e15,', times: 20_000 },
    code: 'EVENT_TOO_LARGE',
    pointer: '',
  },
  {
    name: '33 levels',
    text: raw(nested(31)),
    code: 'EVENT_TOO_DEEP',
    pointer: `/metadata/x${'/0'.repeat(30)}`,
  },
  {
    name: 'more than 2,000 members',
    text: raw('[#0]'),
    fill: { unit: '{"a":0},', times: 2_000 },
    code: 'EVENT_TOO_MANY_KEYS',
    pointer: '',
  },
  {
    name: 'an escaped lone surrogate',
    text: raw('"\\ud800"'),
    code: 'STRING_LONE_SURROGATE',
    pointer: '/metadata/x',
  },
  {
    name: 'surrogates in the wrong order',
    text: raw('"\\udc00\\ud800"'),
    code: 'STRING_LONE_SURROGATE',
    pointer: '/metadata/x',
  },
  {
    name: 'a lone surrogate in a name',
    text: raw('{"\\ud800":1}'),
    code: 'STRING_LONE_SURROGATE',
    pointer: '/metadata/x/\ufffd',
  },
  { name: 'an escaped U+0000', text: raw('["a\\u0000"]'), code: 'STRING_NUL', pointer: '/metadata/x/0' },
  { name: 'U+0000 in a name', text: raw('{"\\u0000":1}'), code: 'STRING_NUL', pointer: '/metadata/x/\ufffd' },
  { name: '2^53 + 1', text: raw('9007199254740993'), code: 'NUMBER_OUT_OF_RANGE', pointer: '/metadata/x' },
  { name: '2^53', text: raw('9007199254740992'), code: 'NUMBER_OUT_OF_RANGE', pointer: '/metadata/x' },
  {
    name: 'an integer written with an exponent',
    text: raw('1e16'),
    code: 'NUMBER_OUT_OF_RANGE',
    pointer: '/metadata/x',
  },
  { name: '1e999', text: raw('[1e999]'), code: 'NUMBER_OUT_OF_RANGE', pointer: '/metadata/x/0' },
  field('an unknown field', { colour: 'red' }, 'FIELD_UNKNOWN', '/colour'),
  field('an unknown field constructor', { constructor: 1 }, 'FIELD_UNKNOWN', '/constructor'),
  field('an unknown field hasOwnProperty', { hasOwnProperty: 1 }, 'FIELD_UNKNOWN', '/hasOwnProperty'),
  {
    name: 'an unknown field __proto__',
    text: text().replace('{', '{"__proto__":{},'),
    code: 'FIELD_UNKNOWN',
    pointer: '/__proto__',
  },
  field('an unknown field whose name is escaped in a pointer', { 'a/b~c': 1 }, 'FIELD_UNKNOWN', '/a~1b~0c'),
  ...['audit_id', 'tenant_id', 'timestamp', 'event_type', 'actor_type', 'actor_id', 'source_service'].map(
    (name) => field(`no ${name}`, { [name]: undefined }, 'FIELD_REQUIRED', `/${name}`),
  ),
  { name: 'an array', text: '[]', code: 'FIELD_TYPE', pointer: '' },
  { name: 'null', text: 'null', code: 'FIELD_TYPE', pointer: '' },
  field('null for a string', { actor_id: null }, 'FIELD_TYPE', '/actor_id'),
  field('an array for an object', { context: [] }, 'FIELD_TYPE', '/context'),
  field('an object for a list', { entity_ids: {} }, 'FIELD_TYPE', '/entity_ids'),
  field('a number in a list', { entity_ids: ['a', 1] }, 'FIELD_TYPE', '/entity_ids/1'),
  field('a string for a boolean', { is_sensitive: 'no' }, 'FIELD_TYPE', '/is_sensitive'),
  field('a number for a boolean', { is_sensitive: 1 }, 'FIELD_TYPE', '/is_sensitive'),
  field('a fraction', { retention_days: 1.5 }, 'FIELD_TYPE', '/retention_days'),
  field('true for an integer', { retention_days: true }, 'FIELD_TYPE', '/retention_days'),
  field('another major version', { event_version: '2.0' }, 'FIELD_FORMAT', '/event_version'),
  field('an empty identifier', { actor_id: '' }, 'FIELD_LENGTH', '/actor_id'),
  field('513 UTF-16 units', { cluster: `${'\u{1f600}'.repeat(256)}a` }, 'FIELD_LENGTH', '/cluster'),
  {
    name: '1,001 entities',
    text: text({ entity_ids: ['#'] }),
    fill: { unit: 'e","', times: 1_000 },
    code: 'FIELD_LENGTH',
    pointer: '/entity_ids',
  },
  field('retention of no days', { retention_days: 0 }, 'FIELD_RANGE', '/retention_days'),
  field('retention of ages', { retention_days: 36_501 }, 'FIELD_RANGE', '/retention_days'),
  field('an unknown severity', { severity: 'INFO' }, 'FIELD_ENUM', '/severity'),
  field('an unknown actor type', { actor_type: 'robot' }, 'FIELD_ENUM', '/actor_type'),
  field('an unknown outcome', { outcome: { outcome_status: 'ok' } }, 'FIELD_ENUM', '/outcome/outcome_status'),
  ...[
    '',
    '1.2.3',
    '1.2.3.256',
    '1.2.3.04',
    '1.2.3.4.5',
    '1.2.3.4:80',
    '10.0.0.0/8',
    '[::1]',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    ':::',
    '1::2::3',
    ':1:2:3:4:5:6:7',
    '12345::',
    'g::',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    'localhost',
    '1.2.3.4\n',
    '١.2.3.4',
  ].map((address) =>
    field(`the address ${JSON.stringify(address)}`, { source_ip: address }, 'FIELD_FORMAT', '/source_ip'),
  ),
  field('an address of 46 units', { source_ip: '1'.repeat(46) }, 'FIELD_LENGTH', '/source_ip'),
  field('a number for an address', { source_ip: 1 }, 'FIELD_TYPE', '/source_ip'),
  field('an empty user agent', { user_agent: '' }, 'FIELD_LENGTH', '/user_agent'),
  field('a long user agent', { user_agent: 'x'.repeat(1_025) }, 'FIELD_LENGTH', '/user_agent'),
  field('an empty idempotency key', { idempotency_key: '' }, 'FIELD_LENGTH', '/idempotency_key'),
  field('an object for a delegation chain', { on_behalf_of: {} }, 'FIELD_TYPE', '/on_behalf_of'),
  field(
    'a delegation without an id',
    { on_behalf_of: [{ actor_type: 'user' }] },
    'FIELD_REQUIRED',
    '/on_behalf_of/0/actor_id',
  ),
  field(
    'a delegation with another member',
    { on_behalf_of: [{ actor_type: 'user', actor_id: 'a', role: 'x' }] },
    'FIELD_UNKNOWN',
    '/on_behalf_of/0/role',
  ),
  field(
    'a delegation to an unknown type of actor',
    { on_behalf_of: [{ actor_type: 'robot', actor_id: 'a' }] },
    'FIELD_ENUM',
    '/on_behalf_of/0/actor_type',
  ),
  field(
    '17 delegations',
    { on_behalf_of: Array.from({ length: 17 }, () => ({ actor_type: 'user', actor_id: 'a' })) },
    'FIELD_LENGTH',
    '/on_behalf_of',
  ),
  field('a proof without a type', { proof: {} }, 'FIELD_REQUIRED', '/proof/type'),
  field(
    'an envelope without a payload',
    { event_data: { version: '1', service: 's', operation: 'o', status: 'ok' } },
    'FIELD_REQUIRED',
    '/event_data/payload',
  ),
  ...[
    '019CB000-0000-7000-8000-000000000001',
    '019cb000000070008000000000000001',
    `${event(1).audit_id}\n`,
  ].map((id) =>
    field(`the identity ${JSON.stringify(id)}`, { audit_id: id }, 'AUDIT_ID_INVALID', '/audit_id'),
  ),
  field(
    'a UUIDv7 more than an hour ahead',
    { audit_id: '019ca97b-f881-7000-8000-000000000001' },
    'AUDIT_ID_AHEAD',
    '/audit_id',
  ),
  ...['', '.a', 'a/b', 'a b', 'ä', 'a\n', 'a+b', 'x'.repeat(129)].map((id) =>
    field(`the tenant ${JSON.stringify(id)}`, { tenant_id: id }, 'TENANT_ID_INVALID', '/tenant_id'),
  ),
  ...[
    '2026-02-30T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-06-30T23:59:60Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00+00:00',
    '2026-01-01t00:00:00z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567890Z',
    '0000-01-01T00:00:00Z',
    '٢٠٢٦-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z\n',
  ].map((when) =>
    field(`the time ${JSON.stringify(when)}`, { timestamp: when }, 'TIMESTAMP_INVALID', '/timestamp'),
  ),
  field(
    'a time more than an hour ahead',
    { timestamp: '2026-03-01T13:00:00.001Z' },
    'TIMESTAMP_AHEAD',
    '/timestamp',
  ),
  field(
    'a malformed capture time',
    { proof: { type: 'url', captured_at: 'now' } },
    'TIMESTAMP_INVALID',
    '/proof/captured_at',
  ),
  ...['publish', 'Content.publish', 'content.', 'a..b', '1a.b', 'a b.c', 'a.b\n', `a.${'b'.repeat(127)}`].map(
    (type) =>
      field(`the type ${JSON.stringify(type)}`, { event_type: type }, 'EVENT_TYPE_INVALID', '/event_type'),
  ),
  ...[
    'system.genesis',
    'agent.action.unresolved',
    'agent.action.unexplained',
    'delivery.gap',
    'audit.x',
    'retention.x',
    'hold.x',
    'source.lost',
  ].map((type) =>
    field(`the reserved type ${type}`, { event_type: type }, 'EVENT_TYPE_RESERVED', '/event_type'),
  ),
  field(
    'the actor of the service',
    { actor_type: 'system', actor_id: 'tallystick' },
    'ACTOR_RESERVED',
    '/actor_id',
  ),
  ...lookAlikes.map((id) =>
    field(
      `the system actor ${escaped(id)}`,
      { actor_type: 'system', actor_id: id },
      'ACTOR_RESERVED',
      '/actor_id',
    ),
  ),
  field(
    'on behalf of a system actor that looks like the service',
    { on_behalf_of: [{ actor_type: 'system', actor_id: 'T\u0430llystick' }] },
    'ACTOR_RESERVED',
    '/on_behalf_of/0/actor_id',
  ),
  field(
    'on behalf of the service',
    {
      on_behalf_of: [
        { actor_type: 'user', actor_id: 'tallystick' },
        { actor_type: 'system', actor_id: 'tallystick' },
      ],
    },
    'ACTOR_RESERVED',
    '/on_behalf_of/1/actor_id',
  ),
  ...[
    'metadata/ip',
    '',
    '/metadata',
    '/actor_id',
    '/entity_ids/0',
    '/outcome/outcome_status',
    '/metadata/a~2',
  ].map((pointer) =>
    field(
      `sealing ${JSON.stringify(pointer)}`,
      { sealed: { [pointer]: hash } },
      'SEALED_INVALID',
      `/sealed/${pointer.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    ),
  ),
  ...[hash.toUpperCase(), hash.slice(1), 1, null].map((commitment) =>
    field(
      `the commitment ${JSON.stringify(commitment)}`,
      { sealed: { '/metadata/ip': commitment } },
      'SEALED_INVALID',
      '/sealed/~1metadata~1ip',
    ),
  ),
  field(
    'sealed and in the clear',
    { sealed: { '/metadata/a~1b/0': hash }, metadata: { 'a/b': ['secret'] } },
    'SEALED_INVALID',
    '/sealed/~1metadata~1a~01b~10',
  ),
];

export function eventVectors(): unknown {
  return {
    description:
      'Events as a client sends them, checked with the clock at `now` and no taxonomy. valid: admitted, with the canonical text. invalid: refused, with the code and the JSON pointer of the first violation; given as text, or as base64 if it is not UTF-8. With a `fill`, the single # of the text is replaced by `times` repetitions of `unit`.',
    now: '2026-03-01T12:00:00.000Z',
    valid: valid.map(([name, changes]) => ({
      name,
      text: text(changes),
      canonical: canonicalize(event(1, changes)),
    })),
    invalid,
  };
}
