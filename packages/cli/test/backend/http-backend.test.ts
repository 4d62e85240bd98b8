import { describe, expect, test } from 'vitest';
import { HttpBackend } from '../../src/backend/http-backend.ts';

/** A backend whose service answers every request with this text. */
const answering = (text: string) => new HttpBackend('http://x', async () => new Response(text));
const options = { onProgress: () => {}, onTrusted: () => {}, judge: () => expect.unreachable() };

describe('a service that is not what it seems', () => {
  test("gives another tenant's trail", async () => {
    const header =
      '{"tallystick_bundle":1,"tenant_id":"other","origin":"a.example/other/1","epoch":1}\n{"record":{}}\n';
    await expect(answering(header).verify('acme', options)).rejects.toThrow('gave another one');
  });

  // Verified by itself, and never held against what is known of the log.
  test('gives a part of the trail', async () => {
    const header =
      '{"tallystick_bundle":1,"tenant_id":"acme","origin":"a.example/acme/1","epoch":1,"complete":false}\n{"record":{}}\n';
    await expect(answering(header).verify('acme', options)).rejects.toThrow('gave a part of one');
  });

  test('gives something that is no bundle', async () => {
    expect(await answering('<html>').verify('acme', options)).toMatchObject({ verdict: 'not_verifiable' });
    await expect(answering('<html>').getEvent('acme', 'x')).rejects.toThrow('is it a Tallystick service?');
  });

  test('answers for fewer events than it was sent', async () => {
    await expect(answering('{"results":[]}').submit(['{}'], 'cli')).rejects.toThrow(
      'did not answer for each event',
    );
  });
});

test('events go as the texts they are, numbers included', async () => {
  let sent: string | undefined;
  const backend = new HttpBackend('http://x', async (_, request) => {
    sent = request?.body;
    return new Response('{"results":[1,2]}');
  });
  await backend.submit(['{"n":9007199254740993}', '{"n":1e400}'], 'cli');
  expect(sent).toBe('{"events":[{"n":9007199254740993},{"n":1e400}]}');
});

test('a stream that breaks is taken up after the last event, until it is refused or ended', async () => {
  const asked: (string | undefined)[] = [];
  const stop = new AbortController();
  const frame = (n: number) => `id: 1-${n}\nevent: audit\ndata: {"n":${n}}\n\n`;
  const backend = new HttpBackend('http://x', async (_, request) => {
    asked.push(request?.headers?.['last-event-id']);
    return new Response(asked.length === 1 ? frame(1) + frame(2) : frame(3));
  });
  const seen: unknown[] = [];
  for await (const event of backend.follow({ tenant: 'acme', filters: {} }, stop.signal)) {
    seen.push(event.n);
    if (seen.length === 3) stop.abort();
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(asked).toEqual([undefined, '1-2']);
});
