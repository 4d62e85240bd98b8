import { canonicalize, decodeUtf8, parseStrictJson, readEvent } from '@tallystick/event';
import type { Register } from '../context.ts';
import { readInput } from '../terminal/input.ts';

/** `tally canonical`: lets an implementation in another language compare its canonical JSON with ours. */
export const registerCanonical: Register = (program, run) => {
  const command = program
    .command('canonical')
    .summary('write the RFC 8785 bytes of JSON')
    .description(
      'Reads one JSON value, strictly (UTF-8 without a mark, no repeated members), and writes its RFC 8785 bytes, ' +
        'without a newline at the end.',
    )
    .argument('[file]', 'file to read; standard input by default')
    .option('--event', 'also check that it is an audit event');
  run<{ readonly event?: boolean }>(command, async ({ terminal, surroundings }, options, [file]) => {
    const bytes = await readInput(file, surroundings);
    const canonical =
      options.event === true
        ? readEvent(bytes, { now: surroundings.now() }).canonical
        : canonicalize(parseStrictJson(decodeUtf8(bytes)));
    await terminal.write(canonical);
    return undefined;
  });
};
