import type { SubmitOutcome } from '../backend/backend.ts';
import type { SourceFile } from './files.ts';
import { type MappedEvent, type ReadOptions, type Rejection, readSourceEvents } from './source-events.ts';

/** Takes events, as canonical texts; the contract of `Backend.submit`. */
export type Submit = (events: readonly string[]) => Promise<readonly SubmitOutcome[]>;

export interface ImportTotals {
  files: number;
  /** Source events found, well-formed or not: the sum of the three below. */
  events: number;
  imported: number;
  duplicate: number;
  rejected: number;
  /** Bytes of the files as stored. */
  bytes: number;
}

export interface ImportOptions extends ReadOptions {
  readonly submit: Submit;
  readonly onRejected: (rejection: Rejection) => Promise<void> | void;
  readonly onProgress?: (totals: Readonly<ImportTotals>) => void;
  /** Ends the import after the batch in flight. */
  readonly stopped?: AbortSignal;
  /** Events to a batch. @defaultValue 500 */
  readonly batchEvents?: number;
  /** Bytes of events to a batch, a little more at most. @defaultValue 1 MiB */
  readonly batchBytes?: number;
}

/**
 * Imports files one after the other, in memory bounded by two batches: while one is submitted, the next is read. A
 * crash at any point loses nothing that the same command does not bring in when it runs again: identities are derived
 * from the source, so what is there already is a duplicate.
 *
 * @param totals counted up as it goes, so that they can be told also where it throws
 */
export async function importFiles(
  files: readonly SourceFile[],
  options: ImportOptions,
  totals: ImportTotals,
): Promise<void> {
  const { batchEvents = 500, batchBytes = 1 << 20 } = options;
  let batch: MappedEvent[] = [];
  let size = 0;
  /** The batch in flight. Settled before the next is sent: one at a time keeps the order of the source. */
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
    // Awaited in its turn; until then a failure must not count as unhandled.
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
  const outcomes = await options.submit(batch.map(({ canonical }) => canonical));
  if (outcomes.length !== batch.length) {
    throw new Error(`${batch.length} events were submitted and ${outcomes.length} answered`);
  }
  for (const [at, outcome] of outcomes.entries()) {
    // What a queue before the chain has taken is imported too; whether it is there already shows in the chain.
    if (!('error' in outcome)) totals[outcome.status === 'duplicate' ? 'duplicate' : 'imported']++;
    else {
      const { canonical: _, ...where } = batch[at]!;
      const { code, message, pointer } = outcome.error;
      await rejected({ ...where, code, reason: pointer === '' ? message : `${pointer} ${message}` });
    }
  }
}
