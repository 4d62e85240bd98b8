import { canonicalize, decodeUtf8, parseStrictJson, readEvent } from '@tallystick/event';
import type { Register } from '../../context.ts';
import { readInput } from '../../terminal/input.ts';
import { addExamples } from '../options/examples.ts';

/** `tally canonical`: an implementation in another language compares its canonical JSON with this one. */
export const registerCanonical: Register = (program, run) => {
  const command = program
    .command('canonical')
    .summary('write JSON in its canonical form (RFC 8785)')
    .description(
      'Reads one JSON value and writes its canonical bytes (RFC 8785), without a newline at the end. The input must be UTF-8 ' +
        'without a byte-order mark, and no object may repeat a member.',
    )
    .argument('[file]', 'file to read (default: standard input)')
    .option('--event', 'also check that the value is a valid audit event');
  addExamples(command, `echo '{"b":1,"a":2}' | tally canonical`);
  run<{ readonly event?: boolean }>(command, async ({ terminal, processContext }, options, [file]) => {
    const bytes = await readInput(file, processContext);
    const canonical =
      options.event === true
        ? readEvent(bytes, { now: processContext.now() }).canonical
        : canonicalize(parseStrictJson(decodeUtf8(bytes)));
    await terminal.bytes(canonical);
    return undefined;
  });
};
