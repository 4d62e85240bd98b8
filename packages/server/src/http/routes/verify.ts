import type { VerifyReport } from '@tallystick/protocol';
import * as z from 'zod';
import type { AuditService } from '../../app.ts';
import { verifyRange } from '../../proofs/verification/verify-range.ts';
import type { Trail } from '../../trail/trail.ts';
import { tenantOf } from '../kernel/authentication.ts';
import { type Endpoint, endpoint } from '../kernel/endpoint.ts';
import type { LongRequests } from '../kernel/long-requests.ts';
import { flag, integer, tenantId as tenantIdParameter, timestamp } from '../kernel/parameters.ts';
import { verifyReport } from '../openapi/log-schemas.ts';

/** The route with which the service checks its own records. */
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
          signal,
        });
        return { status: 200, body };
      },
    }),
  ];
}
