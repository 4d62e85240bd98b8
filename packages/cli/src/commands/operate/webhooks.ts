import type { WebhookDelivery } from '@tallystick/protocol';
import { Option } from 'commander';
import type { Register } from '../../context.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { renderTable } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';

const columns = [
  { title: 'ENDPOINT', value: ({ endpoint }: WebhookDelivery) => endpoint },
  { title: 'ID', value: ({ id }: WebhookDelivery) => id },
  { title: 'STATE', value: ({ state }: WebhookDelivery) => state },
  { title: 'CREATED', value: ({ created_at }: WebhookDelivery) => shortTime(created_at) },
  { title: 'TENANT', value: ({ tenant_id }: WebhookDelivery) => tenant_id, flexible: true },
  { title: 'TYPE', value: ({ event_type }: WebhookDelivery) => event_type, flexible: true },
  { title: 'ATTEMPTS', value: ({ attempts }: WebhookDelivery) => attempts, align: 'right' as const },
  {
    title: 'NEXT',
    value: ({ next_attempt_at }: WebhookDelivery) =>
      next_attempt_at === undefined ? '' : shortTime(next_attempt_at),
  },
  {
    title: 'GIVEN UP',
    value: ({ given_up_at }: WebhookDelivery) => (given_up_at === undefined ? '' : shortTime(given_up_at)),
  },
  { title: 'LAST ERROR', value: ({ last_error }: WebhookDelivery) => last_error, flexible: true },
];

/** The service lists no more messages than this at once. */
const mostListed = 1_000;

/** `tally webhooks`: messages about approvals that their endpoints have not accepted. */
export const registerWebhooks: Register = (program, run) => {
  const webhooks = program
    .command('webhooks')
    .summary('list and retry webhook messages that are not delivered')
    .description(
      'Shows the webhook messages about approvals that their endpoints have not accepted, and delivers them again. Needs a key ' +
        'with the scope admin for every tenant.',
    );

  const list = webhooks
    .command('list')
    .summary('list the messages that are not delivered')
    .description(
      `Lists the messages that are not delivered, at most the ${mostListed} oldest. The service still tries to deliver a message ` +
        'that is waiting. It has given up one that is dead, and deletes it after the time of tally serve --webhook-retention. With --tenant, lists those about approvals of this tenant.',
    )
    .addOption(
      new Option('--state <state>', 'only messages in this state (default: both)').choices([
        'waiting',
        'dead',
      ]),
    );
  addExamples(list, 'tally webhooks list --state dead', 'tally webhooks list --json');
  run<{ readonly state?: WebhookDelivery['state'] }>(list, async (context, { state }) => {
    const { terminal, settings } = context;
    await using backend = await context.openBackend();
    const deliveries = await backend.client.approvals.webhookDeliveries({ state });
    const found = deliveries.filter(
      ({ tenant_id }) => settings.tenant === undefined || tenant_id === settings.tenant,
    );
    if (terminal.json) for (const delivery of found) await terminal.jsonLine(delivery);
    else if (found.length > 0) await terminal.write(renderTable(terminal, columns, found));
    else terminal.note(`no webhook messages are ${state ?? 'waiting or dead'}`);
    if (deliveries.length >= mostListed)
      terminal.warn(`only the ${mostListed} oldest messages of all tenants were read; there may be more`);
    if (!terminal.json && found.some((delivery) => delivery.state === 'dead'))
      terminal.note('to deliver one again: tally webhooks retry ENDPOINT ID');
    return undefined;
  });

  const retry = webhooks
    .command('retry')
    .summary('deliver a message again')
    .description(
      'Lets the service deliver a message again, at once and with all its attempts. The message may be dead or waiting.',
    )
    .argument('<endpoint>', 'name of the endpoint, from tally webhooks list')
    .argument('<id>', 'id of the message, from tally webhooks list');
  addExamples(retry, 'tally webhooks retry chat 019ca97b-f880-7000-8000-000000000002');
  run(retry, async (context, _, [endpoint, id]) => {
    await using backend = await context.openBackend();
    await backend.client.approvals.retryWebhook({ endpoint: endpoint!, id: id! });
    context.terminal.note(`the message ${id} to ${endpoint} is due; the service delivers it`);
    return undefined;
  });
};
