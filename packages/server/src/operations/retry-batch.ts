import type { DeadLetterInfo, Reason, RetryResult } from '@tallystick/protocol';
import type { BatchBookkeeping, ItemOutcome } from '../chain/batch.ts';
import { placeOfMessage } from '../chain/source-position.ts';
import type { Writer } from '../chain/writer.ts';
import type { Admission } from '../ingest/admit/admission.ts';
import type { SubmissionError } from '../ingest/submission.ts';
import type { StoredDeadLetter } from './dead-letters.ts';

/** Where the events of a batch are submitted. An `AuditService` has both. */
export interface BatchRetryTarget {
  readonly admission: Admission;
  readonly writer: Pick<Writer, 'submit'>;
}

const batchReasons = ['KAFKA_BATCH_TOO_LARGE', 'KAFKA_BATCH_UNREADABLE'];

/** Whether a dead letter keeps a record batch of a topic, and not an event. */
export function isKeptBatch({ reason }: Pick<DeadLetterInfo, 'reason'>): boolean {
  return batchReasons.includes(reason);
}

/** The last retry of a batch in this process. Each may need memory for a large batch, so they run one after the other. */
let previous: Promise<unknown> = Promise.resolve();

/**
 * Reads a record batch again that the ingest could not unpack. It succeeds if the batch unpacks to at most 128 MiB, four times
 * what the ingest takes, or if this version can read what an earlier one could not. Its messages are stored as if they came
 * from the topic now: an event that is refused becomes a dead letter of its own.
 *
 * A crash in the middle leaves the dead letter open and a part of the events chained. The next retry gets `duplicate` for
 * those.
 *
 * @param tenants tenants that the operator may write for; a batch may have events of any tenant
 * @param settling settles the dead letter
 * @returns the result of the first event that is chained; `noted` if there is none
 * @throws {ServerError} as `Writer.submit`
 */
export async function retryBatch(
  target: BatchRetryTarget,
  letter: Pick<StoredDeadLetter, 'info' | 'raw'>,
  tenants: readonly string[] | undefined,
  settling: BatchBookkeeping,
): Promise<RetryResult<SubmissionError>> {
  if (tenants !== undefined) return rejected(letter.info, forAllTenants);
  const retry = previous.then(() => submitBatch(target, letter, settling));
  previous = retry.catch(() => {});
  return await retry;
}

async function submitBatch(
  { admission, writer }: BatchRetryTarget,
  { info, raw }: Pick<StoredDeadLetter, 'info' | 'raw'>,
  settling: BatchBookkeeping,
): Promise<RetryResult<SubmissionError>> {
  // Loaded on demand: a service without Kafka does not have the library.
  const { readKeptBatch, UnpackError } = await import('../ingest/kafka/partition/kept-batch.ts');
  let chained: Extract<ItemOutcome, { receipt: unknown }> | undefined;
  try {
    for (const { items, statements } of readKeptBatch(
      Buffer.from(raw),
      placeOfMessage(info.source)!,
      admission,
    )) {
      const outcomes = await writer.submit(items, statements);
      chained ??= outcomes.find((outcome) => 'receipt' in outcome);
    }
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    return rejected(info, { code: error.code, pointer: '', message: `the record batch ${error.message}` });
  }
  // After all of its events: a crash before this leaves the dead letter open.
  await writer.submit([], [], settling);
  return chained ?? { status: 'noted' };
}

const forAllTenants: Reason = {
  code: 'TENANT_FORBIDDEN',
  pointer: '',
  message:
    'a record batch may have events of every tenant, and the operator who retries may not write for all',
};

function rejected({ id }: DeadLetterInfo, reason: Reason): RetryResult<SubmissionError> {
  return { status: 'rejected', error: { ...reason, violations: [reason], dead_letter_id: id } };
}
