import type { EventView } from '@tallystick/protocol';
import type { Context, Register } from '../context.ts';
import { renderFields } from '../terminal/table.ts';
import { addExamples } from './examples.ts';

/** `tally show`: one event with all its fields. */
export const registerShow: Register = (program, run) => {
  const command = program
    .command('show')
    .summary('show one event with all its fields')
    .description("Shows one event of a tenant with all its fields, the chain's included.")
    .argument('<audit-id>', 'audit_id of the event');
  addExamples(command, 'tally show 01903f5b-7f00-7abc-8def-0123456789ab --tenant acme');
  run(command, async (context, _, [auditId]) => {
    await using backend = await context.openBackend();
    const event = await backend.client.events.get(auditId!, { tenant_id: context.requireTenant() });
    if (context.terminal.json) await context.terminal.jsonLine(event);
    else await print(context, event);
    return undefined;
  });
};

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
