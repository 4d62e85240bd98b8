import { createHmac } from 'node:crypto';

/**
 * The bytes of a secret (Standard Webhooks).
 *
 * @returns `undefined` for a text that is no secret
 */
export function readSecret(text: string): Buffer | undefined {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

/**
 * The headers of a signed message (Standard Webhooks, symmetric signatures). The service only signs, which is these few lines over
 * Node's HMAC; the package `standardwebhooks` brings a hash function of its own. The tests check the signatures with that package.
 *
 * @param secrets a signature of each: while a secret is replaced, receivers with either one accept the message
 */
export function signedHeaders(
  { id, body }: { readonly id: string; readonly body: string },
  secrets: readonly string[],
  now: number,
): { readonly [name: string]: string } {
  const timestamp = String(Math.floor(now / 1_000));
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', readSecret(secret)!).update(`${id}.${timestamp}.${body}`);
    return `v1,${hmac.digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
