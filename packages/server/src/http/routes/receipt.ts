import { tenantIdPattern } from '@tallystick/event';
import { formatTlogProof } from '@tallystick/log';
import * as z from 'zod';
import { hasScope } from '../../access/principal.ts';
import { ServerError } from '../../errors.ts';
import { isOfReading } from '../../operations/read-audit.ts';
import { toView } from '../../trail/view.ts';
import { seesSensitive, tenantOf } from '../kernel/authenticate.ts';
import { endpoint } from '../kernel/endpoint.ts';
import { uuid } from '../kernel/parameters.ts';

export const receiptEndpoint = endpoint({
  method: 'GET',
  path: '/v1/logs/{tenant_id}/receipt/{audit_id}',
  operationId: 'getReceipt',
  tag: 'Log',
  summary: 'Get an offline proof of one event',
  description:
    'C2SP tlog-proof: index, inclusion proof and signed checkpoint in one text. Its `extra` line is the bytes of the ' +
    'record; left out where the key may not read the event.',
  access: 'log:read',
  params: z.strictObject({
    tenant_id: z.string().regex(tenantIdPattern, { message: 'must be a tenant id' }).describe('The tenant'),
    audit_id: uuid('Identity of the event'),
  }),
  responses: { 200: { description: 'The proof', type: 'text/plain' } },
  problems: ['NOT_FOUND', 'CHAIN_STOPPED', 'CHECKPOINT_INCONSISTENT'],
  async handle({ services, principal, params }) {
    const { logs } = services.service;
    const tenantId = tenantOf(principal, params.tenant_id);
    const view = { sensitive: seesSensitive(principal) };
    const row = await services.trail.getRow(tenantId, params.audit_id, view);
    const latest = await logs.latestCheckpoint(tenantId);
    const covers = latest !== undefined && latest.epoch === row.epoch && latest.size > row.sequence_number;
    const checkpoint = covers ? latest : await logs.checkpoint(tenantId);
    const proof =
      checkpoint.epoch === row.epoch
        ? {
            note: checkpoint.note,
            inclusion: await logs.inclusionProof(tenantId, row.sequence_number, checkpoint.size),
          }
        : await logs.earlierProof(
            { tenantId, epoch: row.epoch },
            row.sequence_number,
            Buffer.from(row.record_hash, 'hex'),
          );
    if (proof === undefined) {
      const message =
        'the event belongs to an epoch that was given up, and no checkpoint of it that is left covers it';
      throw new ServerError('NOT_FOUND', message);
    }
    const shown = toView(tenantId, row, view);
    const readable = hasScope(principal, 'events:read') && shown.redacted !== true && row.record !== null;
    if (readable && !isOfReading(shown.event_type)) {
      await services.readAudit.read({ principal: principal.id, tenantId });
    }
    const body = formatTlogProof({
      ...(readable && { extra: Buffer.from(row.record!) }),
      index: row.sequence_number,
      inclusion: proof.inclusion,
      checkpoint: proof.note,
    });
    return { status: 200, type: 'text/plain; charset=utf-8', body };
  },
});
