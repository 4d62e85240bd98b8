import type { Approval, ApprovalTransition } from '@tallystick/protocol';
import type { Queries } from '../../store/database.ts';
import { enqueueMessages } from './delivery-rows.ts';
import { webhookBody } from './message.ts';
import type { WebhookOptions } from './webhook-options.ts';

/** Stores the messages about a change of an approval, in the transaction of the change. */
export class WebhookOutbox {
  readonly #endpoints: readonly WebhookOptions[];

  constructor(endpoints: readonly WebhookOptions[]) {
    this.#endpoints = endpoints;
  }

  /** A crash before the commit leaves neither the change nor its messages; after it, both. */
  async announce(
    session: Queries,
    approval: Approval,
    changes: readonly { readonly transition: ApprovalTransition; readonly recordId: string }[],
    now: number,
  ): Promise<void> {
    const tenantId = approval.document.tenant_id;
    const endpoints = this.#endpoints.filter(({ tenants }) => tenants?.includes(tenantId) ?? true);
    const messages = changes.flatMap(({ transition, recordId }) => {
      const body = webhookBody(approval, transition, { recordId, now });
      const eventType = transition.type;
      return endpoints.map(({ name }) => ({ endpoint: name, id: recordId, tenantId, eventType, body }));
    });
    await enqueueMessages(session, messages);
  }
}
