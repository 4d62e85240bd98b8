import type { VerificationPage, VerifyReport } from '@tallystick/protocol';
import * as z from 'zod';
import type { AuditService } from '../../../app.ts';
import { verificationPage } from '../../../proofs/verification/history.ts';
import { verifyRange } from '../../../proofs/verification/verify-range.ts';
import type { Trail } from '../../../trail/trail.ts';
import { tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import type { LongRequests } from '../../kernel/limits/long-requests.ts';
import {
  cursor,
  flag,
  integer,
  limit,
  tenantId as tenantIdParameter,
  timestamp,
} from '../../kernel/requests/parameters.ts';
import { verificationList, verifyReport } from '../../openapi/schemas/log-schemas.ts';

/** Routes with which the service checks its own records, and lists what it found. */
export function verifyRoutes({
  service,
  trail,
  longRequests,
  maxRecords,
}: {
  readonly service: AuditService;
  readonly trail: Trail;
  readonly longRequests: LongRequests;
  readonly maxRecords: number;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/audit/verify',
      operationId: 'verifyTrail',
      tag: 'Events',
      summary: 'Let the service check a part of a chain',
      description:
        'Compares records with their hashes, links and columns, and with the last signed checkpoint. Here the service checks ' +
        'itself. To verify without trusting the service, export a bundle and verify it with a key that you keep. A long range ' +
        'is checked in parts: repeat the call from `next_sequence` until `complete` is true.',
      access: 'log:read',
      query: z.strictObject({
        tenant_id: tenantIdParameter.optional(),
        sequence_from: integer('Sequence number of the first record').optional(),
        sequence_to: integer('Sequence number of the last record').optional(),
        ingested_from: timestamp('Records that were chained at this time or later').optional(),
        ingested_to: timestamp('Records that were chained before this time').optional(),
        fresh: flag('First sign a checkpoint that covers the whole chain').optional(),
      }),
      responses: { 200: { description: 'The report', schema: verifyReport } },
      problems: ['NOT_FOUND', 'OVERLOADED'],
      async handle({ principal, query, reply, signal }) {
        const { tenant_id, ...range } = query;
        const tenantId = tenantOf(principal, tenant_id);
        longRequests.begin(reply.raw, principal.id);
        const body: VerifyReport = await verifyRange(service, trail, {
          ...range,
          tenantId,
          maxRecords,
          by: principal.id,
          signal,
        });
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'GET',
      path: '/v1/audit/verifications',
      operationId: 'listVerifications',
      tag: 'Events',
      summary: 'List the checks of a chain by the service',
      description:
        'Who let the service check a chain, when, and with which verdict, the newest first. A chain that is checked in parts has one ' +
        'entry for each part, with the same `run_id`. The newest 10,000 checks are kept, and of the older ones the newest 1,000 that found something and the newest of the whole chain. The list is no evidence: an attacker who can write to the database can change it.',
      access: 'log:read',
      query: z.strictObject({
        tenant_id: tenantIdParameter.optional(),
        limit: limit(500, 50),
        cursor: cursor.optional(),
      }),
      responses: { 200: { description: 'One page', schema: verificationList } },
      async handle({ principal, query: { tenant_id, ...page } }) {
        const { verifications, nextCursor } = await verificationPage(service.database, {
          ...page,
          tenantId: tenantOf(principal, tenant_id),
        });
        const body: VerificationPage = {
          verifications,
          ...(nextCursor !== undefined && { next_cursor: nextCursor }),
        };
        return { status: 200, body };
      },
    }),
  ];
}
