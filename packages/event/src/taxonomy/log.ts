import { defineTaxonomy, typesOf } from './taxonomy.ts';

/** The types that the audit service writes about the trail itself. A client's event of such a type is refused. */
export const log = defineTaxonomy({
  name: 'log',
  types: typesOf(
    'system',
    {},
    {
      'system.genesis': 'First record of a chain: binds origin, epoch, hash and canonicalisation',
      'delivery.gap': 'A producer declared that events were lost before they could be delivered',
      'delivery.conflict': 'An event repeated an audit_id with other content and was dead-lettered',
      'delivery.unclosed': 'A producer vanished without saying how many events it had emitted',
      'audit.read': 'Somebody read the trail',
      'audit.exported': 'Somebody exported a part of the trail',
      'audit.verified': 'The trail was verified by the service',
      'audit.key_created': 'An API key was created',
      'audit.key_revoked': 'An API key was revoked',
      'audit.dead_letters_purged': 'Refused events were given up, and their bytes erased',
      'retention.archived': 'Records were moved to an archive, leaving their hashes',
      'retention.dropped': 'Records past their retention were dropped, leaving their hashes',
      'hold.placed': 'A legal hold was placed',
      'hold.released': 'A legal hold was released',
      'source.lost': 'A range of the source is gone before it was chained',
      'source.rebound': 'A source was recreated and is read from its start',
    },
  ),
});

const reservedPrefixes = ['delivery.', 'audit.', 'retention.', 'hold.', 'source.'];

/** Whether only the service may write events of this type; whole prefixes are kept for its future. */
export function isReservedEventType(type: string): boolean {
  return type === 'system.genesis' || reservedPrefixes.some((prefix) => type.startsWith(prefix));
}
