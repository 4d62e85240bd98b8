import { formatLetterEntry, keyDigest, letterDigest, sha256, toHex } from '@tallystick/log';

/** Vectors of spec/books.md: entries of dead letters, and digests of API keys. */
export function booksVectors(): unknown {
  const facts = {
    id: '3520aa6e-260e-8f85-a292-c2e01a018a76',
    tenant_id: 'acme',
    audit_id: null,
    source: 'http',
    principal: 'key:0123456789ab',
    producer_id: '019cb000-0000-7000-8000-000000000001',
    producer_seq: 7,
    reason: 'FIELD_TYPE',
    pointer: '/actor_id',
    message: 'must be a string',
  };
  const letters = [
    { facts, bytes: '{"tenant_id":"acme"}' },
    {
      facts: { ...facts, tenant_id: null, producer_id: null, producer_seq: null, reason: 'R'.repeat(70) },
      bytes: '',
    },
  ];
  const key = {
    id: '0123456789ab',
    name: 'checkout',
    secret_sha256: toHex(sha256('hash of a secret')),
    scopes: ['events:write'],
    created_at: '2026-01-02T03:04:05.678Z',
  };
  const keys = [
    { ...key, tenants: ['acme'], expires_at: null },
    { ...key, tenants: null, expires_at: '2030-01-01T00:00:00.000Z' },
    { ...key, tenants: null, expires_at: null, subject: 'maria' },
  ];
  return {
    description: 'Entries of dead letters (from facts and bytes) and digests of API keys by spec/books.md.',
    letters: letters.map((letter) => ({ ...letter, entry: entryOf(letter) })),
    keys: keys.map((facts) => ({ facts, about: keyDigest(facts) })),
  };

  function entryOf({ facts, bytes }: (typeof letters)[number]): string {
    const [raw, about] = [toHex(sha256(bytes)), letterDigest(facts)];
    return formatLetterEntry({ id: facts.id, reason: facts.reason, raw, about });
  }
}
