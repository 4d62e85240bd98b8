import { looksLike } from './look-alike.ts';
import { defineTaxonomy, typesOf } from './taxonomy.ts';

/** Event types that the audit service writes about the trail itself. It refuses such events from clients. */
export const log = defineTaxonomy({
  name: 'log',
  types: typesOf(
    'system',
    {},
    {
      'system.genesis': 'First record of a chain: fixes origin, epoch, hash function and canonicalisation',
      'delivery.gap': 'A producer declared that events were lost before they could be delivered',
      'delivery.conflict': 'An event repeated an audit_id with other content and was dead-lettered',
      'delivery.unclosed': 'A producer ended without declaring how many events it had emitted',
      'delivery.contradiction': 'A declaration of a last number contradicts what is known of the producer',
      'delivery.dead_lettered':
        'Events were refused and kept as dead letters; their hashes are in the record',
      'audit.read': 'A principal read the trail',
      'audit.exported': 'A principal exported a part of the trail',
      'audit.verified': 'The service verified the trail',
      'audit.key_created': 'An API key was created',
      'audit.key_revoked': 'An API key was revoked',
      'audit.viewer_token_issued': "A token was made with which a browser reads a part of a tenant's trail",
      'audit.viewer_token_revoked': 'Such a token was revoked',
      'audit.subject_blocked': 'The logins and keys of a subject are refused',
      'audit.subject_unblocked': 'The logins and keys of a subject are accepted again',
      'audit.log_key_rotated': "The key that signs the tenants' logs was replaced",
      'audit.approval_rules_changed': 'The minimum rules of approvals were changed',
      'audit.approval_rules_adopted': 'Minimum rules of an earlier version were put on record',
      'audit.operation_begun': 'An operation with an idempotency key began',
      'audit.operation_finished': 'An operation with an idempotency key ended',
      'audit.operation_adopted': 'An operation of an earlier version was put on record',
      'audit.dead_letters_purged': 'The bytes of refused events were erased',
      'audit.dead_letter_retried': 'A refused event was submitted again and chained',
      'audit.redaction_changed': 'The rules by which the service removes secrets from events changed',
      'audit.books_opened': 'Dead letters and API keys that have no record yet were put on record',
      'audit.accounts_changed': 'Accounts of producers changed otherwise than by chained events',
      'audit.accounts_pruned': 'Accounts of producers that had ended were deleted',
      'audit.strays_removed': 'Rows that did not belong to the chain were removed from the store',
      'retention.archived': 'Records were moved to an archive; their hashes stayed',
      'retention.dropped': 'Records past their retention were deleted; their hashes stayed',
      'hold.placed': 'A legal hold was placed',
      'hold.released': 'A legal hold was released',
      'agent.action.unresolved': 'The end of an action was not reported before its deadline',
      'agent.action.unexplained': 'The end of an action was reported, but no intent',
      'source.lost': 'A range of the source was deleted before it was chained',
      'source.rebound': 'A source was created again, and is read from its start',
    },
  ),
});

const reservedPrefixes = ['delivery.', 'audit.', 'retention.', 'hold.', 'source.'];

const reservedTypes: ReadonlySet<string> = new Set([
  'system.genesis',
  'agent.action.unresolved',
  'agent.action.unexplained',
]);

/** Whether only the service may write events of this type. Whole prefixes are reserved for later types. */
export function isReservedEventType(type: string): boolean {
  return reservedTypes.has(type) || reservedPrefixes.some((prefix) => type.startsWith(prefix));
}

/**
 * Whether an event reads as the word of the audit service: by its type, or because it names the service as its actor. In a
 * record it is the service's word only if the service wrote the record itself, which `ingest.trust` says.
 */
export function speaksForService({
  event_type,
  actor_type,
  actor_id,
}: {
  readonly [field: string]: unknown;
}): boolean {
  const type = String(event_type);
  // Applications with a desk of their own may write approval.* events. Those of the service's desk count as its word.
  return isReservedEventType(type) || type.startsWith('approval.') || isServiceActor(actor_type, actor_id);
}

/** Whether an actor is the audit service itself, or its id only looks like that. Only the service may name itself as one. */
export function isServiceActor(type: unknown, id: unknown): boolean {
  return type === 'system' && typeof id === 'string' && looksLike(id, 'tallystick');
}
