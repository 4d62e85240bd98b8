import type { Client } from '@tallystick/client';
import { uuidPattern } from '@tallystick/event';
import type { EventView } from '@tallystick/protocol';
import type { Context, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { renderFields } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';

/** `tally show`: one event with all its fields. */
export const registerShow: Register = (program, run) => {
  const command = program
    .command('show')
    .summary('show one event with all its fields')
    .description(
      "Shows one event of a tenant with all its fields, the chain's included. The event is named by its number in the chain (SEQ " +
        'in tally events), or by its audit_id.',
    )
    .argument('<event>', 'number of the event in the chain, or its audit_id');
  addExamples(
    command,
    'tally show 4 --tenant acme',
    'tally show 01903f5b-7f00-7abc-8def-0123456789ab --tenant acme',
  );
  run(command, async (context, _, [name]) => {
    const tenant_id = context.requireTenant();
    const isNumber = /^\d{1,15}$/.test(name!);
    if (!isNumber && !uuidPattern.test(name!.toLowerCase())) {
      const hint = 'tally events lists both: SEQ and ID';
      throw new CliError('USAGE', 'an event is named by its number in the chain or by its audit_id', {
        hint,
      });
    }
    await using backend = await context.openBackend();
    const event = isNumber
      ? await eventAt(context, backend.client, tenant_id, Number(name))
      : await backend.client.events.get(name!.toLowerCase(), { tenant_id });
    if (context.terminal.json) await context.terminal.jsonLine(event);
    else await print(context, event);
    return undefined;
  });
};

/** The event at a position. After a recovery several epochs may have the position: then the newest counts. */
async function eventAt(
  { terminal }: Context,
  client: Client,
  tenant_id: string,
  sequence: number,
): Promise<EventView> {
  const filters = { sequence_from: sequence, sequence_to: sequence };
  const { events } = await client.events.list({ tenant_id, filters, include_reads: true, limit: 2 });
  const [newest, older] = events;
  if (newest === undefined) throw new CliError('NOT_FOUND', `${tenant_id} has no record ${sequence}`);
  if (older !== undefined) {
    terminal.note(
      `this is record ${sequence} of epoch ${newest.epoch}; an earlier epoch has one too: ${older.audit_id}`,
    );
  }
  return newest;
}

async function print({ terminal }: Context, event: EventView): Promise<void> {
  const simple: [string, string][] = [];
  const nested: [string, unknown][] = [];
  for (const [name, value] of Object.entries(event)) {
    if (typeof value === 'object' && value !== null) nested.push([name, value]);
    else simple.push([name, String(value)]);
  }
  await terminal.write(renderFields(terminal, simple));
  for (const [name, value] of nested) {
    await terminal.line();
    await terminal.line(terminal.style('bold', name));
    // JSON writes a line break inside a string as \n, so each line here is a line of the layout.
    for (const line of JSON.stringify(value, null, 2).split('\n')) await terminal.line(line);
  }
}
