import { resolve } from 'node:path';
import type { ExportQuery } from '@tallystick/client';
import type { Backend } from '../../backend/backend.ts';
import type { Context } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { ProgressLine } from '../../terminal/progress.ts';
import { ResumableFile } from '../../terminal/resumable-file.ts';

/** What a later process needs to go on with an export. */
interface Unfinished {
  /** Address or directory of the trail. */
  readonly from: string;
  readonly query: ExportQuery;
  /** How many events the file has. */
  readonly events: number;
}

/**
 * Writes the lines of an export to a file, which can be gone on with if the export ends early, or to standard output.
 *
 * @returns how many events it has
 */
export async function exportLines(
  context: Context,
  backend: Backend,
  query: ExportQuery,
  output: string | undefined,
): Promise<number> {
  if (output !== undefined && output !== '-') {
    const file = await ResumableFile.create<Unfinished>(resolve(context.processContext.cwd, output));
    return await fill(context, backend, { file, query, output, before: 0 });
  }
  const progress = new ProgressLine(context.terminal, context.processContext.now);
  let written = 0;
  try {
    for await (const { text, events, position, until } of backend.client.events.export(query)) {
      refuseIfStopped(context);
      progress.clear();
      await context.terminal.bytes(text);
      written += events;
      if (context.terminal.outputEnded) return written;
      progress.update({ done: position?.sequence ?? 0, total: until.sequence, text: 'of the chain' });
    }
    return written;
  } finally {
    progress.clear();
  }
}

/**
 * Goes on with an export that ended early, with the tenant, filters and format that it began with.
 *
 * @returns how many events the file has
 * @throws {CliError} `INPUT_UNREADABLE` if the file has no unfinished export; `USAGE` if the export is from another service or store
 */
export async function resumeExport(context: Context, backend: Backend, output: string): Promise<number> {
  const path = resolve(context.processContext.cwd, output);
  const { file, state } = await ResumableFile.resume<Unfinished>(path);
  if (state.from !== backend.name) {
    await file.leave();
    throw new CliError('USAGE', `the unfinished export is from ${state.from}, not from ${backend.name}`);
  }
  if (state.query.after !== undefined)
    return await fill(context, backend, { file, query: state.query, output, before: state.events });
  // It has no event yet, perhaps only a header.
  await file.leave();
  return await fill(context, backend, {
    file: await ResumableFile.create(path),
    query: state.query,
    output,
    before: 0,
  });
}

async function fill(
  context: Context,
  backend: Backend,
  {
    file,
    query,
    output,
    before,
  }: {
    readonly file: ResumableFile<Unfinished>;
    readonly query: ExportQuery;
    readonly output: string;
    /** Events that the file has already. */
    readonly before: number;
  },
): Promise<number> {
  const progress = new ProgressLine(context.terminal, context.processContext.now);
  let total = before;
  try {
    for await (const { text, events, position, until } of backend.client.events.export(query)) {
      total += events;
      await file.add(text, {
        from: backend.name,
        query: { ...query, after: position, until },
        events: total,
      });
      refuseIfStopped(context);
      progress.update({ done: position?.sequence ?? 0, total: until.sequence, text: 'of the chain' });
    }
    await file.finish();
    return total;
  } catch (error) {
    await file.leave();
    progress.clear();
    context.terminal.note(`${output}.part has what arrived; go on with: tally export -o ${output} --resume`);
    throw error;
  } finally {
    progress.clear();
  }
}

function refuseIfStopped({ processContext }: Context): void {
  if (processContext.stopped.aborted)
    throw new CliError('OUTPUT_FAILED', 'interrupted: the export is incomplete');
}
