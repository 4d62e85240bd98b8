import type { Clock } from '../clock.ts';
import { AuditError, type ReportError } from '../errors.ts';
import { endsWithin } from '../time-limit.ts';
import type { Transport } from '../transport/transport.ts';
import type { BatchSender } from './batch-sender.ts';
import type { Outbox } from './outbox.ts';
import type { OutcomeRecorder } from './outcome-recorder.ts';
import type { Progress } from './progress.ts';
import type { SendLoop } from './send-loop.ts';
import type { SequenceTracker } from './sequence-tracker.ts';

export interface ClosingParts {
  readonly service: string;
  readonly ephemeral: boolean;
  readonly sequences: SequenceTracker;
  readonly outbox: Outbox;
  readonly loop: SendLoop;
  readonly sender: BatchSender;
  readonly outcomes: OutcomeRecorder;
  readonly progress: Progress;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly report: ReportError;
}

/** The service accepts this many gaps and final numbers with one batch. */
const maxDeclarationsPerBatch = 1_000;
/** Longer than the time limit of the spool for its disk. */
const outboxGraceMs = 15_000;
/** If all events are on disk or delivered, the emitter does not wait longer than this for a service that was away. */
export const lastTryMs = 2_000;
/** How long a transport may take to react to an abort. */
const abortGraceMs = 1_000;

/**
 * Delivers what the outbox contains, declares the producer's end and releases everything. Events that are not delivered by the
 * deadline stay on disk, or are lost if only memory contains them.
 */
export async function closeDelivery(parts: ClosingParts, deadlineMs: number): Promise<void> {
  const { clock, loop, outbox, outcomes, transport, report } = parts;
  const deadline = clock.now() + deadlineMs;
  await endsWithin(clock, outbox.opened, deadlineMs);
  if (outbox.size > 0 || outbox.owesDeclarations) await drain(parts, deadline);

  // When the end is declared, the service calls the producer complete. A crash after this loses nothing: the outbox is empty.
  const endDeclared = outbox.size === 0 && (await declareEnd(parts, deadline));
  await endsWithin(clock, loop.stop(), abortGraceMs);

  const closing = outbox.close(endDeclared);
  // The spool's thread does not keep the process alive, so this does.
  await endsWithin(clock, closing, outboxGraceMs);
  outcomes.recordAbandoned(await closing);
  try {
    await endsWithin(clock, transport.close(), abortGraceMs);
  } catch (cause) {
    report(new AuditError('DELIVERY_FAILED', 'the transport did not close', { events: 0, cause }));
  }
}

/** Sends until the outbox is empty, the deadline passes, or the service is away and all events are on disk. */
async function drain(
  { clock, loop, outbox, sender, progress }: ClosingParts,
  deadline: number,
): Promise<void> {
  const allOnDisk = () => sender.failing && outbox.spooledEvents === outbox.size;
  const wasAway = allOnDisk();
  loop.sendNow();
  sender.startClosing();
  outbox.persist();
  if (wasAway) {
    const { attempts } = sender;
    const tried = () => !sender.failing || sender.attempts > attempts;
    await progress.waitUntil(tried, Math.max(0, Math.min(deadline - clock.now(), lastTryMs)));
  }
  const done = () => (outbox.size === 0 && !outbox.owesDeclarations) || allOnDisk();
  await progress.waitUntil(done, Math.max(0, deadline - clock.now()));
}

/** Declares all gaps and final numbers. Only then can the service know that this producer's events are complete. */
export async function declareEnd(
  parts: Pick<ClosingParts, 'clock' | 'sequences' | 'sender' | 'report' | 'service' | 'ephemeral'>,
  deadline: number,
): Promise<boolean> {
  const { clock, sequences, sender, report, service, ephemeral } = parts;
  const final = sequences.finalSequences();
  let failure: unknown = new Error('no response in time');
  try {
    for (let at = 0; at < final.length || sequences.undeclaredGaps > 0; at += maxDeclarationsPerBatch) {
      const gaps = sequences.takeGaps(maxDeclarationsPerBatch);
      const delivery = {
        producer_id: sequences.producerId,
        service,
        ...(ephemeral && { ephemeral }),
        sequences: [],
        gaps,
        final: final.slice(at, at + maxDeclarationsPerBatch),
      };
      const sent = sender.declare({ events: [], delivery }, (thrown) => {
        failure = thrown;
      });
      const inTime = await endsWithin(clock, sent, Math.max(deadline - clock.now(), abortGraceMs));
      if (!inTime) throw failure;
      sequences.confirmGaps(gaps.length);
    }
    return true;
  } catch (cause) {
    const message = 'the end of the producer could not be declared; the service will report it as unclosed';
    report(new AuditError('DELIVERY_FAILED', message, { outcome: 'unknown', events: 0, cause }));
    return false;
  }
}
