/** Submits all refused events of one reason again. */
import { type Client, ClientError } from '@tallystick/client';
import type { DeadLetterInfo, RetryResult } from '@tallystick/protocol';

/** Events that one run submits at most. A reader watches the run, and it must end. */
export const mostResubmitted = 200;
const pageSize = 100;

/** Which dead letters: those of a tenant, or without one of every tenant of the reader. */
export interface Selection {
  readonly tenant: string | undefined;
  readonly reason: string;
}

/** What came of one dead letter. */
export interface Resubmitted {
  readonly letter: DeadLetterInfo;
  /** `gone`: another person has erased it meanwhile. */
  readonly outcome: 'chained' | 'noted' | 'refused' | 'gone';
  readonly text: string;
  /** The record in the chain. */
  readonly auditId?: string | undefined;
}

/** How many open dead letters there are of each reason, the most first. */
export async function openReasons(
  client: Client,
  tenant: string | undefined,
  signal: AbortSignal,
): Promise<readonly (readonly [reason: string, count: number])[]> {
  // A count is what a purge answers that erases nothing.
  const { by_reason } = await client.deadLetters.purge(
    { tenant_id: tenant, state: 'open', dry_run: true },
    { signal },
  );
  return Object.entries(by_reason).sort(([, a], [, b]) => b - a);
}

/** The oldest dead letters of a selection. They are all read before one is submitted: one that is refused again is not found twice. */
export async function selectedLetters(
  client: Client,
  { tenant, reason }: Selection,
  signal: AbortSignal,
): Promise<readonly DeadLetterInfo[]> {
  const found: DeadLetterInfo[] = [];
  let cursor: string | undefined;
  do {
    const query = { tenant_id: tenant, reason, state: 'open' as const, limit: pageSize, cursor };
    const page = await client.deadLetters.list(query, { signal });
    found.push(...page.dead_letters);
    cursor = page.next_cursor;
  } while (cursor !== undefined && found.length < mostResubmitted);
  return found.slice(0, mostResubmitted);
}

/**
 * Submits dead letters again, one after the other, and yields what came of each. A request that is under way is always awaited: what it did
 * would otherwise not be shown.
 *
 * @throws {ClientError} for a failure that the next one would meet too
 */
export async function* resubmit(
  client: Client,
  letters: readonly DeadLetterInfo[],
): AsyncGenerator<Resubmitted> {
  for (const letter of letters) {
    try {
      yield { letter, ...outcomeOf(await client.deadLetters.retry(letter.id)) };
    } catch (error) {
      if (!(error instanceof ClientError) || !['NOT_FOUND', 'REFUSED'].includes(error.code)) throw error;
      yield { letter, outcome: 'gone', text: error.problem?.detail ?? error.message };
    }
  }
}

/** What the service answered to one attempt, for people. */
export function outcomeOf(result: RetryResult): Omit<Resubmitted, 'letter'> {
  if ('error' in result) {
    const { code, message } = result.error;
    return { outcome: 'refused', text: `It was refused again (${code}): ${message}.` };
  }
  if (result.status === 'noted') return { outcome: 'noted', text: 'The producer’s account has it now.' };
  return { outcome: 'chained', text: 'The event is in the chain.', auditId: result.receipt.audit_id };
}
