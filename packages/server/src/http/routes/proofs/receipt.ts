import { formatTlogProof, parseCheckpoint, parseNote, withRotations } from '@tallystick/log';
import * as z from 'zod';
import { hasScope } from '../../../access/principal.ts';
import type { AuditService } from '../../../app.ts';
import { ServerError } from '../../../errors.ts';
import { isOfReading, type ReadAudit } from '../../../operations/read-audit.ts';
import type { Trail } from '../../../trail/trail.ts';
import { toView } from '../../../trail/view.ts';
import { tenantOf, viewOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { tenantIdInPath, uuid } from '../../kernel/requests/parameters.ts';

/** The route that gives a proof of one event. */
export function receiptRoutes({
  logs,
  signer,
  trail,
  readAudit,
}: {
  readonly logs: AuditService['logs'];
  readonly signer: AuditService['signer'];
  readonly trail: Trail;
  readonly readAudit: ReadAudit;
}): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/logs/{tenant_id}/receipt/{audit_id}',
      operationId: 'getReceipt',
      tag: 'Log',
      summary: 'Get a proof of one event that can be verified offline',
      description:
        'C2SP tlog-proof: one text with the index, the inclusion proof and a signed checkpoint. Its line `extra` holds the bytes ' +
        'of the record. That line is left out if the API key may not read the event. If the key of the log was rotated, the ' +
        'checkpoint has lines with the statements of the rotations.',
      access: 'log:read',
      viewers: true,
      params: z.strictObject({
        tenant_id: tenantIdInPath,
        audit_id: uuid('Identity of the event'),
      }),
      responses: { 200: { description: 'The proof', type: 'text/plain' } },
      problems: ['NOT_FOUND', 'CHAIN_STOPPED', 'CHECKPOINT_INCONSISTENT'],
      async handle({ principal, params }) {
        const tenantId = tenantOf(principal, params.tenant_id);
        const view = viewOf(principal, true);
        const row = await trail.getRow(tenantId, params.audit_id, view);
        const latest = await logs.latestCheckpoint(tenantId);
        const covers =
          latest !== undefined && latest.epoch === row.epoch && latest.size > row.sequence_number;
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
            'the event belongs to an epoch that a recovery has ended, and no remaining checkpoint of that epoch covers the event';
          throw new ServerError('NOT_FOUND', message);
        }
        const shown = toView(tenantId, row, view);
        const mayReadBytes = hasScope(principal, 'events:read') && view.withRecord === true;
        const readable = mayReadBytes && shown.redacted !== true && row.record !== null;
        if (readable && !isOfReading(shown.event_type)) {
          await readAudit.read({ principal: principal.id, tenantId });
        }
        const body = formatTlogProof({
          ...(readable && { extra: Buffer.from(row.record!) }),
          index: row.sequence_number,
          inclusion: proof.inclusion,
          checkpoint: withRotations(proof.note, await signer.rotations.evidenceFor(originOf(proof.note))),
        });
        return { status: 200, type: 'text/plain; charset=utf-8', body };
      },
    }),
  ];
}

const originOf = (note: string): string => parseCheckpoint(parseNote(note).text).origin;
