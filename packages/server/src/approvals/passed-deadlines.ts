import { ServerError } from '../errors.ts';
import { type ApprovalChanges, type ChangeParts, isMismatch } from './approval-changes.ts';
import { type DueApproval, dueApprovals } from './approval-rows.ts';

const maxDueMismatches = 10_000;

/** Deadlines of approvals: reminders, escalations, time-outs, expiries. */
export class PassedDeadlines {
  readonly #parts: ChangeParts;
  readonly #changes: ApprovalChanges;
  /** Edited rows that the deadlines of this process have met. */
  readonly #dueMismatches = new Set<string>();

  constructor(parts: ChangeParts, changes: ApprovalChanges) {
    this.#parts = parts;
    this.#changes = changes;
  }

  /**
   * Lets passed deadlines take effect. Every replica may call it; each deadline takes effect once.
   *
   * @returns how many approvals were changed
   * @throws {ServerError} the first error of a chain, after all others were advanced
   */
  async takeEffect(pageSize: number): Promise<number> {
    let changed = 0;
    let failed: unknown;
    let last: DueApproval | undefined;
    do {
      const page = await dueApprovals(this.#parts.database, pageSize, last);
      for (const { tenant_id, id } of page) {
        try {
          if (await this.#changes.advanceToNow(tenant_id, id)) changed++;
        } catch (error) {
          // It stays due. An edited row, or a stopped chain, must not keep the approvals of others waiting.
          if (!isOfOneApproval(error)) throw error;
          if (isMismatch(error)) this.#countDueMismatch(`${tenant_id}/${id}`);
          else failed ??= error;
        }
      }
      last = page.length < pageSize ? undefined : page.at(-1);
    } while (last !== undefined);
    if (failed !== undefined) throw failed;
    return changed;
  }

  /** The row stays due, so every round meets it again. It counts once. */
  #countDueMismatch(approval: string): void {
    if (this.#dueMismatches.has(approval)) return;
    if (this.#dueMismatches.size >= maxDueMismatches) this.#dueMismatches.clear();
    this.#dueMismatches.add(approval);
    this.#parts.observer?.onApprovalMismatch?.();
  }
}

/** Whether the error concerns one approval or one chain, and not the store. */
function isOfOneApproval(error: unknown): boolean {
  if (!(error instanceof ServerError)) return false;
  return isMismatch(error) || error.code === 'CHAIN_STOPPED' || error.code === 'CLOCK_BEHIND_CHAIN';
}
