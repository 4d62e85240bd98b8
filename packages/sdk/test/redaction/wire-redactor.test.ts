import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditEventInput, RedactionOptions } from '../../src/index.ts';
import { WireRedactor } from '../../src/redaction/wire-redactor.ts';
import { turns } from '../support/clock.ts';
import { testEmitter } from '../support/emitter.ts';
import { someEvent } from '../support/events.ts';
import { framed, harmless, names, secrets } from './corpus.ts';

/** Every place of an event that may contain a text of the caller. */
const positions: Record<string, (text: string) => Partial<AuditEventInput>> = {
  'a context value': (text) => ({ context: { note: text } }),
  'deep in a decision': (text) => ({ decision: { a: [{ b: [1, text] }] } }),
  'within a sentence': (text) => ({ context: { note: `we saw ${text} in the log` } }),
  'a member name': (text) => ({ context: { [text]: 1 } }),
  'the error message': (text) => ({ metadata: { errorMessage: `failed: ${text}` } }),
  'the error code': (text) => ({ outcome: { outcome_status: 'failure', errorCode: text.slice(0, 200) } }),
  metadata: (text) => ({ metadata: { requestId: text } }),
  'proof data': (text) => ({ proof: { type: 'api_response', data: { body: text } } }),
  'the proof url': (text) => ({ proof: { type: 'url', url: `https://x/?a=${text}` } }),
  'the payload of an envelope': (text) => ({
    eventData: { operation: 'o', status: 's', payload: { list: [text] } },
  }),
  'the source payload': (text) => ({
    eventData: { operation: 'o', status: 's', payload: {}, sourcePayload: { raw: JSON.stringify({ text }) } },
  }),
  'a permission': (text) => ({ actorPermissions: ['read', text] }),
  'an entity': (text) => ({ entityIds: [text] }),
  'the target': (text) => ({ targetId: text }),
  'the actor': (text) => ({ actorId: text }),
  'the correlation': (text) => ({ correlationId: text }),
};

async function sent(event: Partial<AuditEventInput>, redaction: RedactionOptions = {}): Promise<string> {
  const { emitter, transport } = testEmitter({ redaction });
  expect(emitter.emit(someEvent(event)).state).toBe('buffered');
  await emitter.close();
  expect(transport.events).toHaveLength(1);
  return transport.batches[0]!.events[0]!;
}

describe('no secret leaves the process', () => {
  test.each(Object.keys(positions))('as %s', async (position) => {
    for (const [name, secret] of Object.entries(secrets)) {
      const text = await sent(positions[position]!(secret));
      expect(text, name).not.toContain(JSON.stringify(secret).slice(1, -1));
      // Nor the greater part of the secret.
      expect(text, name).not.toContain(JSON.stringify(secret.slice(5, 25)).slice(1, -1));
      expect(text, name).toContain('[REDACTED]');
    }
  });

  test.each(framed)('%s of %s', async (secret, text) => {
    for (const place of ['a context value', 'the error message', 'proof data']) {
      expect(await sent(positions[place]!(text))).not.toContain(secret);
    }
  });

  test.each(names)('under the name %s', async (name) => {
    for (const secret of ['x', 'correct horse', ['a', 'b'], { user: 'u', value: 'v' }]) {
      const event = JSON.parse(await sent({ context: { deep: [{ [name]: secret }] } }));
      expect(event.context).toEqual({ deep: [{ [name]: '[REDACTED]' }] });
    }
  });

  test('in name-value pairs, as in headers, environments and HTTP archives', async () => {
    const event = JSON.parse(
      await sent({
        context: {
          headers: [
            ['Authorization', 'x'],
            ['Accept', 'y'],
          ],
          env: [
            { name: 'DB_PASSWORD', value: 'x' },
            { name: 'PATH', value: 'y' },
          ],
          form: { key: 'x-api-key', value: { nested: 'x' } },
        },
      }),
    );
    expect(event.context).toEqual({
      headers: [
        ['Authorization', '[REDACTED]'],
        ['Accept', 'y'],
      ],
      env: [
        { name: 'DB_PASSWORD', value: '[REDACTED]' },
        { name: 'PATH', value: 'y' },
      ],
      form: { key: 'x-api-key', value: '[REDACTED]' },
    });
  });

  test('card numbers and codes that are JSON numbers', async () => {
    const event = JSON.parse(await sent({ context: { number: 4111111111111111, cvv: 123, otp: 4711 } }));
    expect(event.context).toEqual({ number: '[REDACTED]', cvv: '[REDACTED]', otp: '[REDACTED]' });
  });
});

test.each(harmless)('%j is left unchanged', async (context) => {
  expect(JSON.parse(await sent({ context: context as Record<string, unknown> })).context).toEqual(context);
});

test('identifying fields and empty values stay', async () => {
  const event = JSON.parse(
    await sent({
      tenantId: 'secret:token=abcdefgh'.slice(0, 12),
      context: { password: '', token: null, secret: false },
    }),
  );
  expect(event.tenant_id).toBe('secret:token');
  expect(event.context).toEqual({ password: '', token: null, secret: false });
});

describe('configuration', () => {
  test('removal deletes the member; a required field is masked', async () => {
    const event = JSON.parse(
      await sent(
        { context: { password: 'x', list: [secrets['Visa card']], keep: 1 }, actorId: secrets.JWT! },
        { censor: 'remove', paths: ['context.list.*', 'target_id'] },
      ),
    );
    expect(event.context).toEqual({ list: [], keep: 1 });
    expect(event.actor_id).toBe('[REDACTED]');
    expect(event.target_id).toBe('[REDACTED]');
  });

  test('equal secrets have equal keyed hashes, which differ by key', async () => {
    const once = JSON.parse(
      await sent(
        { context: { a: { token: 'x' }, b: { token: 'x' }, c: { token: 'y' } } },
        { censor: { hmacKey: 'k' } },
      ),
    );
    expect(once.context.a.token).toMatch(/^hmac:[0-9a-f]{32}$/);
    expect(once.context.b).toEqual(once.context.a);
    expect(once.context.c).not.toEqual(once.context.a);
    const other = JSON.parse(
      await sent({ context: { a: { token: 'x' } } }, { censor: { hmacKey: 'other' } }),
    );
    expect(other.context.a).not.toEqual(once.context.a);
  });

  test('names, patterns and paths of the application', async () => {
    const event = JSON.parse(
      await sent(
        {
          context: {
            memberPin: 1234,
            note: 'case ZX-12345 closed',
            user: { mail: 'a@b.c', name: 'n' },
            users: [{ mail: 'd@e.f' }],
          },
        },
        {
          names: ['member_pin'],
          patterns: [/ZX-\d+/g],
          paths: ['context.user.mail', 'context.users.*.mail'],
        },
      ),
    );
    expect(event.context).toEqual({
      memberPin: '[REDACTED]',
      note: 'case [REDACTED] closed',
      user: { mail: '[REDACTED]', name: 'n' },
      users: [{ mail: '[REDACTED]' }],
    });
  });

  test('allowed names', async () => {
    const event = JSON.parse(
      await sent({ context: { designToken: 'blue', token: 'x' } }, { allowNames: ['design_token'] }),
    );
    expect(event.context).toEqual({ designToken: 'blue', token: '[REDACTED]' });
  });

  test('invalid options are refused', () => {
    expect(() => new WireRedactor({ patterns: [/x/] })).toThrow('flag g');
    expect(() => new WireRedactor({ censor: { hmacKey: 7 as never } })).toThrow();
  });

  test('can be turned off', async () => {
    const { emitter, transport } = testEmitter({ redaction: false });
    emitter.emit(someEvent({ context: { password: 'x' } }));
    await emitter.close();
    expect(transport.events[0]?.context).toEqual({ password: 'x' });
  });
});

test('is idempotent, leaves valid events, and never changes the prototype', () => {
  const redactor = new WireRedactor({});
  const word = fc.constantFrom(
    'password',
    'token',
    'note',
    '__proto__',
    'constructor',
    '10',
    ...Object.values(secrets),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      word,
      fc.double(),
      fc.boolean(),
      fc.dictionary(word, tie('any')),
      fc.array(tie('any')),
    ),
  })).any;
  fc.assert(
    fc.property(fc.dictionary(word, value), (context) => {
      const text = JSON.stringify({ audit_id: 'x', context });
      const once = redactor.redact(text);
      expect(redactor.redact(once)).toBe(once);
      for (const secret of Object.values(secrets)) expect(once).not.toContain(JSON.stringify(secret));
      expect(({} as Record<string, unknown>).note).toBeUndefined();
    }),
    { numRuns: 200 },
  );
});

test('hostile text takes linear time', () => {
  const redactor = new WireRedactor({});
  // Time of the CPU, which other processes do not change. A quadratic pattern would take minutes.
  const start = process.cpuUsage();
  for (const text of [
    '-----BEGIN PRIVATE KEY-----'.repeat(5_000),
    'eyJ'.repeat(50_000),
    'password='.repeat(20_000),
    '4 '.repeat(100_000),
    'a://'.repeat(40_000),
    'sk-'.repeat(60_000),
    `bearer${' '.repeat(100_000)}`,
  ]) {
    redactor.redact(JSON.stringify({ context: { text } }));
  }
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(5_000);
});

test('the events of a batch are redacted in slices, and only once', async () => {
  const { emitter, transport, clock } = testEmitter({}, () => {
    if (transport.batches.length === 1) throw new Error('down');
    return undefined;
  });
  for (let count = 0; count < 1_000; count++)
    emitter.emit(someEvent({ context: { note: `password=hunter${count}secret` } }));
  while (transport.batches.length === 0) await turns();
  await clock.advance(10_000);
  expect(transport.batches).toHaveLength(2);
  expect(transport.batches[1]!.events).toEqual(transport.batches[0]!.events);
  expect(transport.batches[0]!.events.join()).not.toContain('hunter');
});
