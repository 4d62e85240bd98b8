import * as z from 'zod';
import { verifyRange } from '../../proofs/verification/verify-range.ts';
import { tenantOf } from '../kernel/authenticate.ts';
import { endpoint } from '../kernel/endpoint.ts';
import { flag, integer, tenantId, timestamp } from '../kernel/parameters.ts';
import { verifyReport } from '../openapi/schemas.ts';

export const verifyEndpoint = endpoint({
  method: 'GET',
  path: '/v1/audit/verify',
  operationId: 'verifyTrail',
  tag: 'Events',
  summary: 'Check a part of a chain on the server',
  description:
    'Holds records against their hashes, links, columns and the head that was last signed. The service checks itself ' +
    'here: to be sure without trusting it, verify a bundle with a key that you keep. Long ranges are checked in parts: ' +
    'go on at `next_sequence` until `complete` is true.',
  access: 'log:read',
  query: z.strictObject({
    tenant_id: tenantId.optional(),
    sequence_from: integer('First record').optional(),
    sequence_to: integer('Last record').optional(),
    ingested_from: timestamp('Of the time of chaining; included').optional(),
    ingested_to: timestamp('Of the time of chaining; not included').optional(),
    fresh: flag('Sign the chain as it stands first').optional(),
  }),
  responses: { 200: { description: 'The verdict', schema: verifyReport } },
  problems: ['NOT_FOUND'],
  async handle({ services, principal, query }) {
    const { tenant_id, ...range } = query;
    const report = await verifyRange(services.service, services.trail, {
      ...range,
      tenantId: tenantOf(principal, tenant_id),
      maxRecords: services.limits.maxVerifyRecords,
    });
    return { status: 200, body: report };
  },
});
