import type { WebhookDeliveryList } from '@tallystick/protocol';
import * as z from 'zod';
import { listDeliveries, retryDelivery } from '../../../approvals/webhook/delivery-rows.ts';
import type { Database } from '../../../store/database.ts';
import { type Endpoint, endpoint } from '../../kernel/endpoint.ts';
import { limit } from '../../kernel/requests/parameters.ts';
import { webhookDeliveryList, webhookRetry } from '../../openapi/schemas/approval-schemas.ts';

const tag = 'Approvals';

/** Messages about approvals that their endpoints have not accepted. */
export function webhookRoutes({ database }: { readonly database: Database }): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/v1/webhook-deliveries',
      operationId: 'listWebhookDeliveries',
      tag,
      summary: 'List messages that are not delivered, oldest first',
      description:
        'A message that its endpoint has accepted is not listed. `dead`: the service has given up, ' +
        'and deletes the message after the time that its operator has set.',
      access: 'operator',
      query: z.strictObject({
        state: z.enum(['waiting', 'dead']).optional().describe('Only messages in this state'),
        limit: limit(1_000, 100),
      }),
      responses: { 200: { description: 'The messages', schema: webhookDeliveryList } },
      async handle({ query: { state, limit } }) {
        const body: WebhookDeliveryList = { deliveries: await listDeliveries(database, { state, limit }) };
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'POST',
      path: '/v1/webhook-deliveries/retry',
      operationId: 'retryWebhookDelivery',
      tag,
      summary: 'Deliver a message again, at once',
      access: 'operator',
      body: { schema: webhookRetry },
      responses: { 204: { description: 'The message is due' } },
      problems: ['NOT_FOUND'],
      async handle({ body: { endpoint, id } }) {
        await retryDelivery(database, endpoint, id);
        return { status: 204 };
      },
    }),
  ];
}
