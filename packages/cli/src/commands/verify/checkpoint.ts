import { parseCheckpoint, parseNote, toBase64 } from '@tallystick/log';
import type { Register } from '../../context.ts';
import { writeText } from '../../terminal/output-file.ts';
import { addExamples } from '../options/examples.ts';

/** `tally checkpoint`: a signed statement of the log's size and root hash. Kept elsewhere, it exposes a rewritten trail. */
export const registerCheckpoint: Register = (program, run) => {
  const command = program
    .command('checkpoint')
    .summary("sign a tenant's log and write the checkpoint")
    .description(
      "Signs a tenant's log as it is now and writes the checkpoint, a signed note. Keep it away from the service: later " +
        'tally verify --checkpoint FILE proves that the log still contains everything that it covered.',
    )
    .option('-o, --output <file>', 'write to this file (default: standard output)');
  addExamples(command, 'tally checkpoint --tenant acme -o acme.checkpoint');
  run<{ readonly output?: string }>(command, async (context, { output }) => {
    await using backend = await context.openBackend();
    const note = await backend.client.logs.checkpoint(context.requireTenant(), { fresh: true });
    const { origin, size, root } = parseCheckpoint(parseNote(note).text);
    if (context.terminal.json) await context.terminal.jsonLine({ origin, size, root: toBase64(root), note });
    if (output !== undefined || !context.terminal.json) await writeText(context, output, note);
    if (output !== undefined) context.terminal.note(`wrote ${output}: ${origin} with ${size} records`);
    return undefined;
  });
};
