/**
 * One flush: sends the events that waited, as a producer of its own that declares its end. So the service accounts for each flush
 * by itself, whatever becomes of the runtime afterwards, and flushes of concurrent requests do not depend on each other.
 */
import { uuidv7 } from '@tallystick/event';
import type { ItemResult } from '@tallystick/protocol';
import type { OutcomeRecorder } from '../delivery/outcome-recorder.ts';
import { SequenceTracker } from '../delivery/sequence-tracker.ts';
import type { PendingEvent } from '../event/pending-event.ts';
import { describeFailure, readFailure, type Transport } from '../transport/transport.ts';
import type { Loss } from './queue.ts';

export interface FlushOptions {
  readonly service: string;
  readonly maxBatchBytes: number;
  readonly retryDelaysMs: readonly number[];
  readonly deadlineMs: number;
}

/** What could not be sent. Its outcome is unknown; sending it again is safe. */
export interface Unsent {
  readonly events: readonly PendingEvent[];
  readonly losses: readonly Loss[];
  readonly thrown: unknown;
}

const maxEventsPerBatch = 1_000;

export async function flushEvents(
  events: readonly PendingEvent[],
  losses: readonly Loss[],
  transport: Transport,
  options: FlushOptions,
  outcomes: OutcomeRecorder,
): Promise<Unsent | undefined> {
  const signal = AbortSignal.timeout(options.deadlineMs);
  const producer = new SequenceTracker(uuidv7());
  for (const event of events) event.sequence = producer.next(event.tenantId);
  for (const { tenantId, reason } of losses) producer.markLost(tenantId, producer.next(tenantId), reason);
  /** The losses that the service does not know yet. */
  let undeclared = [...losses];
  const batches = batchesOf(events, options.maxBatchBytes);
  // A flush without events may still have losses to declare.
  if (batches.length === 0) batches.push([]);

  const send = async (batch: readonly PendingEvent[], isLast: boolean) => {
    const gaps = producer.takeGaps(1_000);
    for (const event of batch) event.sent = true;
    const results = await sendWithRetries(
      transport,
      {
        events: batch.map(({ text }) => text),
        delivery: {
          producer_id: producer.producerId,
          service: options.service,
          ephemeral: true,
          sequences: batch.map(({ sequence }) => sequence),
          gaps,
          final: isLast ? producer.finalSequences() : [],
        },
        ...(batch.some(({ waiter }) => waiter?.chained === true) && { chained: true as const }),
      },
      options.retryDelaysMs,
      signal,
    );
    producer.confirmGaps(gaps.length);
    undeclared = [];
    return results;
  };
  while (batches.length > 0) {
    const batch = batches.shift()!;
    try {
      const results = await send(batch, batches.length === 0 && producer.undeclaredGaps <= 1_000);
      outcomes.recordResults({ events: batch }, results);
    } catch (thrown) {
      const failure = readFailure(thrown);
      const isFinal = !failure.retryable || failure.tooLarge === true;
      if (isFinal && batch.length > 1) {
        // The refusal may concern one event alone: halves find it.
        const middle = Math.ceil(batch.length / 2);
        batches.unshift(batch.slice(0, middle), batch.slice(middle));
      } else if (isFinal) {
        // One event, which is lost now; or a declaration, which would be refused again.
        for (const { tenantId } of batch) undeclared.push({ tenantId, reason: 'batch_refused' });
        outcomes.recordRefusal({ producer, events: batch }, describeFailure(failure, thrown), thrown);
        if (batch.length === 0) return undefined;
      } else {
        return { events: [...batch, ...batches.flat()], losses: undeclared, thrown };
      }
    }
    if (batches.length === 0 && producer.undeclaredGaps > 0) batches.push([]);
  }
  return undefined;
}

function batchesOf(events: readonly PendingEvent[], maxBytes: number): (readonly PendingEvent[])[] {
  const batches: PendingEvent[][] = [];
  let bytes = 0;
  for (const event of events) {
    const last = batches.at(-1);
    bytes += event.bytes;
    if (last !== undefined && last.length < maxEventsPerBatch && bytes <= maxBytes) last.push(event);
    else {
      batches.push([event]);
      bytes = event.bytes;
    }
  }
  return batches;
}

async function sendWithRetries(
  transport: Transport,
  batch: Parameters<Transport['send']>[0],
  delaysMs: readonly number[],
  signal: AbortSignal,
): Promise<readonly ItemResult[]> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await transport.send(batch, signal);
    } catch (thrown) {
      const { retryable, tooLarge, retryAfterMs = 0 } = readFailure(thrown);
      const delayMs = delaysMs[attempt];
      if (!retryable || tooLarge === true || delayMs === undefined || signal.aborted) throw thrown;
      await pause(Math.max(retryAfterMs, delayMs * (0.75 + Math.random() / 2)), signal);
      if (signal.aborted) throw thrown;
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
