import type { ItemResult } from '@tallystick/protocol';
import type { SourceFile } from './files.ts';
import { type MappedEvent, type ReadOptions, type Rejection, readSourceEvents } from './source-events.ts';

/** What became of an event. `printed`: a dry run wrote it to standard output. */
export type SubmitResult = ItemResult | { readonly status: 'printed' };

/** Submits events, as canonical texts, with the contract of `Backend.submit`. */
export type Submit = (events: readonly string[]) => Promise<readonly SubmitResult[]>;

export interface ImportTotals {
  files: number;
  /** Source events, well-formed or not: the sum of the next three. */
  events: number;
  imported: number;
  duplicate: number;
  rejected: number;
  /** Bytes of the files, before decompression. */
  bytes: number;
}

export interface ImportOptions extends ReadOptions {
  readonly submit: Submit;
  readonly onRejected: (rejection: Rejection) => Promise<void> | void;
  readonly onProgress?: (totals: Readonly<ImportTotals>) => void;
  /** Ends the import after the current batch. */
  readonly stopped?: AbortSignal;
  /** Events per batch. @defaultValue 500 */
  readonly batchEvents?: number;
  /** A batch is submitted when it has this many bytes. @defaultValue 1 MiB */
  readonly batchBytes?: number;
}

/**
 * Imports files one after the other. While one batch is submitted the next is read, so two batches are in memory at most.
 * After a crash the same command can run again: ids are derived from the source, so events that were imported before are
 * duplicates, and nothing is lost.
 *
 * @param totals updated during the import, so that the caller can report them if the import throws
 */
export async function importFiles(
  files: readonly SourceFile[],
  options: ImportOptions,
  totals: ImportTotals,
): Promise<void> {
  const { batchEvents = 500, batchBytes = 1 << 20 } = options;
  let batch: MappedEvent[] = [];
  let size = 0;
  /** The batch that is being submitted. The next one waits for it, to keep the order of the source. */
  let inFlight: Promise<void> = Promise.resolve();

  const rejected = async (rejection: Rejection) => {
    totals.rejected++;
    await options.onRejected(rejection);
  };
  const send = async () => {
    const sent = batch;
    batch = [];
    size = 0;
    await inFlight;
    inFlight = submitBatch(sent, options, totals, rejected);
    // A failure is thrown where the promise is awaited. Until then it must not count as unhandled.
    inFlight.catch(() => {});
  };

  const isStopped = () => options.stopped?.aborted === true;
  for (const file of files) {
    if (isStopped()) break;
    totals.files++;
    const bytesBefore = totals.bytes;
    const onBytes = (bytes: number) => {
      totals.bytes = bytesBefore + bytes;
      options.onProgress?.(totals);
    };
    for await (const found of readSourceEvents(file, { ...options, onBytes })) {
      totals.events++;
      if ('code' in found) {
        await rejected(found);
        continue;
      }
      batch.push(found);
      size += found.canonical.length;
      if (batch.length >= batchEvents || size >= batchBytes) {
        await send();
        options.onProgress?.(totals);
        if (isStopped()) break;
      }
    }
  }
  if (batch.length > 0) await send();
  await inFlight;
}

async function submitBatch(
  batch: readonly MappedEvent[],
  options: ImportOptions,
  totals: ImportTotals,
  rejected: (rejection: Rejection) => Promise<void>,
): Promise<void> {
  const results = await options.submit(batch.map(({ canonical }) => canonical));
  if (results.length !== batch.length) {
    throw new Error(`${batch.length} events were submitted, but there are ${results.length} results`);
  }
  for (const [at, result] of results.entries()) {
    // `accepted` counts as imported: whether the event was in the chain before is known only later.
    if (!('error' in result)) totals[result.status === 'duplicate' ? 'duplicate' : 'imported']++;
    else {
      const { canonical: _, ...where } = batch[at]!;
      const { code, message, pointer = '' } = result.error;
      await rejected({ ...where, code, reason: pointer === '' ? message : `${pointer} ${message}` });
    }
  }
}
