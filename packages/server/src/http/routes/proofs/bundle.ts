import { Readable } from 'node:stream';
import * as z from 'zod';
import type { AuditService } from '../../../app.ts';
import { ServerError } from '../../../errors.ts';
import type { ReadAudit } from '../../../operations/read-audit.ts';
import { bundleHoldsSensitive, planBundle, streamBundle } from '../../../proofs/bundle.ts';
import type { Trail } from '../../../trail/trail.ts';
import { seesSensitive, tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import type { LongRequests } from '../../kernel/limits/long-requests.ts';
import { flag, integer, tenantIdInPath } from '../../kernel/requests/parameters.ts';

/** The route that exports a bundle. */
export function bundleRoutes({
  service,
  trail,
  readAudit,
  longRequests,
}: {
  readonly service: AuditService;
  readonly trail: Trail;
  readonly readAudit: ReadAudit;
  readonly longRequests: LongRequests;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/logs/{tenant_id}/bundle',
      operationId: 'exportBundle',
      tag: 'Log',
      summary: 'Export records with the proofs to verify them offline',
      description:
        'JSON lines in the format of spec/bundle.md. The service signs a fresh checkpoint first. Without `first` and `last`, the ' +
        'bundle holds the whole chain. With them, it holds that part of the chain and an inclusion proof for each record. A ' +
        'bundle that contains sensitive records needs the scope `events:read-sensitive`.',
      access: 'events:read',
      params: z.strictObject({ tenant_id: tenantIdInPath }),
      query: z.strictObject({
        first: integer('Sequence number of the first record').optional(),
        last: integer('Sequence number of the last record').optional(),
        tail: flag('For a whole chain: also export the records after the checkpoint').optional(),
      }),
      responses: { 200: { description: 'The bundle', type: 'application/x-ndjson' } },
      problems: ['NOT_FOUND', 'OVERLOADED'],
      async handle({ principal, params, query, reply, signal }) {
        const tenantId = tenantOf(principal, params.tenant_id);
        longRequests.begin(reply.raw, principal.id);
        const { first, last, tail } = query;
        const plan = await planBundle(service, trail, { tenantId, first, last, withTail: tail });
        if (!seesSensitive(principal) && (await bundleHoldsSensitive(service, plan))) {
          throw new ServerError(
            'FORBIDDEN',
            'the bundle contains sensitive records: the API key needs the scope events:read-sensitive',
          );
        }
        const { size, complete } = plan;
        await readAudit.exported(
          { principal: principal.id, tenantId },
          { format: 'bundle', first: plan.first, last: plan.last, complete, checkpoint_size: size },
        );
        const name = tenantId.replaceAll(/[^\w.-]/g, '_');
        return {
          status: 200,
          type: 'application/x-ndjson',
          headers: { 'content-disposition': `attachment; filename="${name}.tally"` },
          stream: Readable.from(streamBundle(service, trail, plan, signal), { objectMode: false }),
        };
      },
    }),
  ];
}
