import type { ReceivedDelivery } from '@tallystick/protocol';
import { submitterOf } from '../chain/accounting.ts';
import type {
  BatchBookkeeping,
  BatchItem,
  ItemIngest,
  ItemOutcome,
  ProducerStatement,
} from '../chain/batch.ts';
import { gapRecords } from '../chain/service-records/producer-records.ts';
import type { Writer } from '../chain/writer.ts';
import type { ServiceObserver } from '../observer.ts';
import { yieldEvery } from '../timing/yield.ts';
import type { Admission } from './admit/admission.ts';
import { toStatement } from './admit/statement.ts';
import { reportOutcome } from './append-ranges.ts';
import type { Submission, SubmissionError, SubmissionResult } from './submission.ts';

/** Events that are admitted before the event loop serves other work. A thousand events take tens of milliseconds. */
const eventsPerTurn = 64;

/** What a submission passes through on its way into the chain. */
export interface SubmitPath {
  readonly admission: Admission;
  readonly writer: Writer;
  readonly observer: ServiceObserver;
}

/**
 * Admits and chains events. Each event gets its own result: a refused event does not hold the others back.
 *
 * @param bookkeeping books of the caller that change with the events. Unused if the submitter may not write for the tenant
 *   of an event
 * @returns one result for each event, once all records are durable
 * @throws {ServerError} `STORE_UNAVAILABLE`, `CLOSING`, `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`: nothing was chained, or the
 *   outcome is unknown. The same events may be submitted again
 */
export async function submitEvents(
  { admission, writer, observer }: SubmitPath,
  submission: Submission,
  bookkeeping?: BatchBookkeeping,
): Promise<SubmissionResult[]> {
  const results: (SubmissionResult | undefined)[] = [];
  const items: BatchItem[] = [];
  const itemIndexes: number[] = [];
  const turn = yieldEvery(eventsPerTurn);
  for (const [index, raw] of submission.events.entries()) {
    const pause = turn();
    // Not awaited where it is undefined: a submission of few events must reach the writer before `close` can.
    if (pause !== undefined) await pause;
    const item = admission.itemOf(raw, ingestOf(submission, index), submission.tenants);
    if (item === undefined) {
      results[index] = tenantForbidden();
    } else {
      items.push(item);
      itemIndexes.push(index);
    }
  }
  const statements: ProducerStatement[] = [];
  if (submission.delivery !== undefined) {
    const declared = permittedStatement(submission, submission.delivery);
    const { statement, refused } = admission.statementOf(declared, submission);
    statements.push(statement);
    items.push(...refused);
  }
  const areAllPermitted = itemIndexes.length === submission.events.length;
  const outcomes = await writer.submit(items, statements, areAllPermitted ? bookkeeping : undefined);
  for (const [at, index] of itemIndexes.entries()) {
    const outcome = outcomes[at]!;
    results[index] = toResult(outcome);
    reportOutcome(observer, outcome);
  }
  return results as SubmissionResult[];
}

/**
 * Chains the gaps that a producer declares without events, and enters its final numbers into its account.
 *
 * @param raw the statement as it was received. The dead letter keeps these bytes where a chain is stopped
 * @returns one result for each gap; where a chain is stopped, only the refusal: no gap is entered then
 * @throws {ServerError} as {@link submitEvents}
 */
export async function submitStatement(
  { admission, writer }: Pick<SubmitPath, 'admission' | 'writer'>,
  declared: ProducerStatement,
  from: Pick<Submission, 'source' | 'principal'>,
  raw: Uint8Array,
  bookkeeping?: BatchBookkeeping,
): Promise<SubmissionResult[]> {
  const { statement, refused } = admission.statementOf(declared, from, raw);
  // The writer makes the same gap records from the statement. As items they get results, and are chained once.
  const items = refused.length > 0 ? refused : gapRecords([statement]);
  return (await writer.submit(items, [statement], bookkeeping)).map(toResult);
}

/** Where an event of a submission came from, with the number that its producer gave it. */
function ingestOf({ source, trust, principal, delivery }: Submission, index: number): ItemIngest {
  const sequence = delivery?.sequences?.[index];
  return {
    source,
    trust,
    ...(principal !== undefined && { principal }),
    ...(delivery !== undefined && { producer_id: delivery.producer_id }),
    ...(sequence !== undefined && { producer_seq: sequence }),
  };
}

/** The producer's statement, without declarations for tenants that the submitter may not write for. */
function permittedStatement(submission: Submission, delivery: ReceivedDelivery): ProducerStatement {
  const { tenants } = submission;
  const isPermitted = ({ tenant_id }: { readonly tenant_id: string }) =>
    tenants === undefined || tenants.includes(tenant_id);
  const { gaps, final } = delivery;
  const permitted = { ...delivery, gaps: gaps?.filter(isPermitted), final: final?.filter(isPermitted) };
  return toStatement(permitted, submitterOf(submission));
}

function toResult(outcome: ItemOutcome): SubmissionResult {
  if ('receipt' in outcome) return outcome;
  const { violations, id } = outcome.deadLetter;
  const first = violations[0]!;
  const error: SubmissionError = {
    code: first.code,
    message: first.message,
    pointer: first.pointer,
    violations,
    dead_letter_id: id,
  };
  return { status: outcome.status, error };
}

function tenantForbidden(): SubmissionResult {
  const violation = {
    code: 'TENANT_FORBIDDEN',
    pointer: '/tenant_id',
    message: 'is not a tenant of the key',
  };
  return { status: 'rejected', error: { ...violation, violations: [violation] } };
}
