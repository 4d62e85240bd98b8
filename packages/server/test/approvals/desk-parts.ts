import type { Finding } from '@tallystick/verify';
import { documentDigest } from '../../src/approvals/openings.ts';
import { rangeAppender } from '../../src/ingest/append-ranges.ts';
import type { Database } from '../../src/store/database.ts';
import { Trail } from '../../src/trail/trail.ts';
import { anItem, logName } from '../events.ts';

/** What a desk needs of the service, as a replica has it. */
export function deskParts(database: Database, serviceTenant: string, onApprovalMismatch: () => void) {
  const recordIdSecret = Buffer.alloc(32, 1);
  const appendRanges = rangeAppender(
    database,
    { logName, recordIdSecret, assertRunning: () => undefined, assertCurrent: async () => undefined },
    {},
  );
  const trail = new Trail(database);
  return { database, appendRanges, trail, serviceTenant, recordIdSecret, observer: { onApprovalMismatch } };
}

/** A refund that an agent wants to have approved, and its intent, which is to be chained first. */
export function refundOf(tenant: string) {
  const document = {
    tenant_id: tenant,
    action: 'refund',
    actor: { actor_type: 'agent', actor_id: 'refund-bot' },
    arguments: { amount: 40 },
    policy: { name: 'p', version: '1' },
  } as const;
  const context = { document_digest: documentDigest(document) };
  return { document, intent: anItem(tenant, { event_type: 'agent.action.intended', context }) };
}

/** What a check of the verifier finds. */
export async function findingsOf(
  check: (sink: { add(finding: Finding): void }) => Promise<unknown>,
): Promise<Finding[]> {
  const found: Finding[] = [];
  await check({ add: (finding) => void found.push(finding) });
  return found;
}
