import { setTimeout as pause } from 'node:timers/promises';
import type { Approval } from '@tallystick/protocol';
import * as z from 'zod';
import type { KeyWatch } from '../../../access/key-watch.ts';
import type { ApprovalDesk } from '../../../approvals/desk.ts';
import { tenantOf } from '../../kernel/access/authentication.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import type { HttpLimits } from '../../kernel/limits/limits.ts';
import { tenantId, uuid } from '../../kernel/requests/parameters.ts';
import { beginStream, type Streams, writeBounded } from '../../kernel/streams/streams.ts';

interface Parts {
  readonly desk: ApprovalDesk;
  readonly streams: Streams;
  readonly keyWatch: KeyWatch;
  readonly limits: HttpLimits;
  /** How often the approval is read, ms: another replica may decide it. */
  readonly intervalMs: number;
}

/** Waiting for a decision. */
export function approvalStreamRoutes(parts: Parts): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/approvals/{approval_id}/stream',
      operationId: 'streamApproval',
      tag: 'Approvals',
      summary: 'Wait for the decision of an approval',
      description:
        'Server-sent events. `event` is `approval`, and `data` is the approval: once at the start, and after each change. The stream ends ' +
        'when the approval is not pending any more. A client whose connection breaks opens it again. Comments are heartbeats.',
      access: 'approvals:request',
      params: z.strictObject({ approval_id: uuid('Id of the approval') }),
      query: z.strictObject({ tenant_id: tenantId.optional() }),
      responses: {
        200: { description: 'A stream that lasts until the decision', type: 'text/event-stream' },
      },
      problems: ['NOT_FOUND', 'APPROVAL_MISMATCH', 'TOO_MANY_STREAMS'],
      async handle({ principal, params: { approval_id }, query, request, reply }) {
        const tenant = tenantOf(principal, query.tenant_id);
        const first = await parts.desk.get(tenant, approval_id);
        const response = reply.raw;
        const stop = parts.streams.open(response, principal.id);
        beginStream(reply);
        const heartbeat = setInterval(() => {
          if (!response.writableNeedDrain) response.write(': here\n\n');
        }, parts.limits.heartbeatMs);
        const endWatch = parts.keyWatch.watch(principal, () => stop.abort());
        try {
          for await (const approval of changes(parts, tenant, first, stop.signal)) {
            const frame = `event: approval\ndata: ${JSON.stringify(approval)}\n\n`;
            if (!(await writeBounded(response, frame, stop.signal, parts.limits.stalledMs))) break;
          }
        } catch (error) {
          request.log.warn({ err: error }, 'stream aborted');
          response.destroy();
        } finally {
          clearInterval(heartbeat);
          endWatch();
          response.end();
        }
        return undefined;
      },
    }),
  ];
}

/** The approval now and after each change, until it is not pending any more or the signal aborts. */
async function* changes(
  { desk, intervalMs }: Parts,
  tenant: string,
  first: Approval,
  signal: AbortSignal,
): AsyncGenerator<Approval> {
  let current = first;
  yield current;
  while (current.state === 'pending' && !signal.aborted) {
    await pause(intervalMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const next = await desk.get(tenant, current.id);
    if (JSON.stringify(next) === JSON.stringify(current)) continue;
    current = next;
    yield current;
  }
}
