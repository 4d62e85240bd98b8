import { createClient } from '@tallystick/client';
import { describe, expect, test } from 'vitest';
import { ServiceBackend } from '../../src/backend/service-backend.ts';

/** A backend whose service answers every request with this text. */
const answering = (text: string) =>
  new ServiceBackend(
    new URL('http://x'),
    createClient({ url: 'http://x', fetch: async () => new Response(text), retry: { delaysMs: [] } }),
  );
const options = {
  onProgress: () => {},
  onRecord: () => {},
  onNotice: () => {},
  onTrustedCheckpoint: () => {},
  onEquivocation: () => {},
  trustFor: () => expect.unreachable(),
};

describe('a service that is not what it seems', () => {
  test('sends the trail of another tenant', async () => {
    const header =
      '{"tallystick_bundle":1,"tenant_id":"other","origin":"a.example/other/1","epoch":1,"first":0,"last":1,"complete":true}\n{"record":{}}\n';
    await expect(answering(header).verify('acme', options)).rejects.toMatchObject({
      code: 'BROKEN',
      message: 'http://x sent another trail than that of acme',
    });
  });

  // A part can be verified by itself, but it was never compared with the checkpoint that was kept.
  test('sends a part of the trail', async () => {
    const header =
      '{"tallystick_bundle":1,"tenant_id":"acme","origin":"a.example/acme/1","epoch":1,"first":0,"last":1,"complete":false}\n{"record":{}}\n';
    await expect(answering(header).verify('acme', options)).rejects.toMatchObject({
      code: 'BROKEN',
      message: 'http://x sent only a part of the trail of acme',
    });
  });

  test('sends something that is not a bundle', async () => {
    expect(await answering('<html>').verify('acme', options)).toMatchObject({ verdict: 'not_verifiable' });
  });

  test('answers with fewer results than it got events', async () => {
    await expect(answering('{"results":[]}').submit(['{}'], 'cli')).rejects.toMatchObject({
      code: 'RESPONSE_INVALID',
    });
  });
});
