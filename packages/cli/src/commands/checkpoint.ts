import { parseCheckpoint, parseNote, toBase64 } from '@tallystick/log';
import type { Register } from '../context.ts';
import { writeText } from '../terminal/output-file.ts';

/** `tally checkpoint`: what the log signs to hold now. Kept elsewhere, it is what a rewritten trail is caught with. */
export const registerCheckpoint: Register = (program, run) => {
  const command = program
    .command('checkpoint')
    .summary('sign the log as it stands')
    .description(
      'Signs the log as it stands and writes the signed note. Keep it away from the service: tally verify --checkpoint holds the trail against it.',
    )
    .option('-o, --output <file>', 'write it to a file');
  run<{ readonly output?: string }>(command, async (context, { output }) => {
    await using backend = await context.openBackend();
    const note = await backend.checkpoint(context.requireTenant());
    const { origin, size, root } = parseCheckpoint(parseNote(note).text);
    if (context.terminal.json) await context.terminal.jsonLine({ origin, size, root: toBase64(root), note });
    if (output !== undefined || !context.terminal.json) await writeText(context, output, note);
    if (output !== undefined) context.terminal.note(`wrote ${output}: ${origin} at ${size} records`);
    return undefined;
  });
};
