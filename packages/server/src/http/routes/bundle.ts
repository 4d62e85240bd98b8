import { Readable } from 'node:stream';
import { tenantIdPattern } from '@tallystick/event';
import * as z from 'zod';
import { ServerError } from '../../errors.ts';
import { bundleHoldsSensitive, planBundle, streamBundle } from '../../proofs/bundle.ts';
import { seesSensitive, tenantOf } from '../kernel/authenticate.ts';
import { endpoint } from '../kernel/endpoint.ts';
import { flag, integer } from '../kernel/parameters.ts';

export const bundleEndpoint = endpoint({
  method: 'GET',
  path: '/v1/logs/{tenant_id}/bundle',
  operationId: 'exportBundle',
  tag: 'Log',
  summary: 'Export records with everything that checks them',
  description:
    'JSON lines, spec/bundle.md, on a checkpoint that is signed first. The whole chain, or with `first` and `last` a part ' +
    'of it with an inclusion proof for each record. A bundle that would hold sensitive records needs the scope ' +
    '`events:read-sensitive`.',
  access: 'events:read',
  params: z.strictObject({
    tenant_id: z.string().regex(tenantIdPattern, { message: 'must be a tenant id' }).describe('The tenant'),
  }),
  query: z.strictObject({
    first: integer('First record of a part').optional(),
    last: integer('Last record of a part').optional(),
    tail: flag('Of a whole chain: also what was appended after the checkpoint').optional(),
  }),
  responses: { 200: { description: 'The bundle', type: 'application/x-ndjson' } },
  problems: ['NOT_FOUND'],
  async handle({ services, principal, params, query }) {
    const { service, trail, readAudit } = services;
    const tenantId = tenantOf(principal, params.tenant_id);
    const { first, last, tail } = query;
    const plan = await planBundle(service, trail, { tenantId, first, last, withTail: tail });
    if (!seesSensitive(principal) && (await bundleHoldsSensitive(service, plan))) {
      throw new ServerError(
        'FORBIDDEN',
        'the bundle would hold sensitive records: events:read-sensitive is needed',
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
      stream: Readable.from(streamBundle(service, trail, plan), { objectMode: false }),
    };
  },
});
