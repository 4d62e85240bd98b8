import type { EventView } from '../backend/backend.ts';
import type { Context, Register } from '../context.ts';
import { printable } from '../terminal/printable.ts';
import { renderFields } from '../terminal/table.ts';

/** `tally show`: one event, all of it. */
export const registerShow: Register = (program, run) => {
  const command = program
    .command('show')
    .description('show one event')
    .argument('<audit-id>', "the event's audit_id");
  run(command, async (context, _, [auditId]) => {
    await using backend = await context.openBackend();
    const event = await backend.getEvent(context.requireTenant(), auditId!);
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
    await terminal.line(`\n${terminal.style('bold', printable(name))}`);
    // Strings inside may hold line breaks of their own, which JSON writes as \n.
    for (const line of JSON.stringify(value, null, 2).split('\n')) await terminal.line(printable(line));
  }
}
