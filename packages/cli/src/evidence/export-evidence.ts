import { resolve } from 'node:path';
import type { EvidenceQuery } from '@tallystick/client';
import type { Backend } from '../backend/backend.ts';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { ProgressLine } from '../terminal/progress.ts';
import { EvidenceWriter } from './evidence-writer.ts';

/**
 * Writes the events that match to a zip archive, as CSV with the records and their proof.
 *
 * @returns how many events it has
 * @throws {CliError} `OUTPUT_FAILED`
 */
export async function exportEvidence(
  context: Context,
  { client }: Backend,
  query: EvidenceQuery,
  output: string,
): Promise<number> {
  let events = 0;
  const { processContext, terminal } = context;
  const progress = new ProgressLine(terminal, processContext.now);
  try {
    await using writer = await EvidenceWriter.create(resolve(processContext.cwd, output));
    for await (const part of client.events.exportEvidence(query)) {
      if (processContext.stopped.aborted)
        throw new CliError('OUTPUT_FAILED', 'interrupted: nothing was written');
      if (part.kind === 'head') await writer.begin(part.head);
      else if (part.kind === 'end') await writer.finish(part.hashes);
      else {
        await writer.add(part.line);
        events += 1;
        progress.update({ done: part.line.sequence_number, total: part.until, text: 'of the chain' });
      }
    }
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === undefined) throw cause;
    throw new CliError('OUTPUT_FAILED', `can't write ${output}: ${code}`, { cause });
  } finally {
    progress.clear();
  }
  return events;
}
