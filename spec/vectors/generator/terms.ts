import { fieldTerms, storedTermHashes, termHashes } from '@tallystick/event';
import { searchTerms, storedSearchHashes } from '@tallystick/event/search';

const scope = { tenantId: 'acme', epoch: 1, block: 0 };

const events = [
  { name: 'nothing', event: {} },
  {
    name: 'fields with a column',
    event: {
      event_type: 'auth.login.failed',
      event_category: 'security',
      severity: 'critical',
      actor_type: 'user',
      actor_id: 'maria',
      target_type: 'account',
      target_id: 'a-1',
      investigation_id: 'inv-1',
      outcome: { outcome_status: 'denied' },
      source_service: 'gate',
      is_sensitive: true,
    },
  },
  {
    name: 'delegation, entities and members',
    event: {
      actor_type: 'agent',
      actor_id: 'bot',
      on_behalf_of: [{ actor_type: 'user', actor_id: 'ann' }, { actor_id: 'x' }],
      entity_ids: ['h1', 'h1', 'h2'],
      metadata: { platform: 'web', http: { status: 404 }, 'a.b': null },
      context: { tags: ['a', true, 1.5], long: 'x'.repeat(513) },
    },
  },
  { name: 'IPv4', event: { source_ip: '10.1.2.3' } },
  { name: 'IPv4 written as IPv6', event: { source_ip: '::ffff:10.1.2.3' } },
  { name: 'IPv6', event: { source_ip: '2001:db8::1' } },
  {
    name: 'addresses in texts',
    event: {
      metadata: {
        a: 'from 10.1.2.3:8080 to [2001:db8::1]:443.',
        b: 'at 12:30:45, not 300.1.2.3, 1.2.3.4.5 or aa:bb:cc:dd:ee:ff',
        c: '192.168.0.1.',
      },
    },
  },
  {
    name: 'words of several scripts',
    event: {
      metadata: {
        a: 'Straße, ＡＢＣ ﬁn',
        b: 'ΟΔΟΣ',
        c: '東京タワー',
        d: 'Привет',
        e: 'Cafe\u0301',
        f: '𐐀𐐀𐐀𐐀',
      },
    },
  },
  {
    name: 'words and their beginnings',
    event: { metadata: { mail: 'maria.lopez@example.com', path: '/var/log/auth.log', long: 'y'.repeat(70) } },
  },
  {
    name: 'what is not searched',
    event: {
      tenant_id: 'acme',
      sealed: { '/metadata/name': 'ab'.repeat(32) },
      metadata: { no: [true, null] },
    },
  },
];

/** Vectors of spec/field-index.md and spec/search-index.md: the terms of events, and the hashes that the indexes store. */
export function termVectors(): unknown {
  return {
    description:
      'Terms of events by spec/field-index.md (fields) and spec/search-index.md (texts), and the hashes that are stored for the scope.',
    scope: { tenant_id: scope.tenantId, epoch: scope.epoch, block: scope.block },
    events: events.map(({ name, event }) => ({
      name,
      event,
      fields: fieldTerms(event).toSorted(),
      field_hashes: storedTermHashes(scope, event),
      texts: searchTerms(event).toSorted(),
      text_hashes: storedSearchHashes(scope, event),
    })),
    hashes: [
      { tenant_id: 'acme', epoch: 1, block: 0, term: 'actor_id=ann' },
      { tenant_id: 'acme', epoch: 2, block: 0, term: 'actor_id=ann' },
      { tenant_id: 'acme', epoch: 1, block: 7, term: 'w=東' },
      { tenant_id: 'a@b:c', epoch: 1, block: 0, term: '*' },
    ].map((each) => ({ ...each, hash: termHashes({ ...each, tenantId: each.tenant_id }, [each.term])[0] })),
  };
}
