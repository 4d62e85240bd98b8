import { ServerError } from '../../errors.ts';
import { writer } from '../../store/database.ts';
import type { PrincipalAct } from '../service-records/service-event.ts';
import { subjectBlockedRecord, subjectUnblockedRecord } from '../service-records/subject-records.ts';
import { type KeyBookTarget, takesNoRecord } from './key-book.ts';

/** Stores changes of blocked subjects, each in one transaction with the record of it in the chain of the service's tenant. */
export class SubjectBook {
  readonly #target: KeyBookTarget;

  constructor(target: KeyBookTarget) {
    this.#target = target;
  }

  /**
   * Blocks a subject. A chain that takes no record does not keep a subject in: it is blocked without one, and the verification reports
   * that.
   */
  async block(
    subject: string,
    reason: string | undefined,
    change: Omit<PrincipalAct, 'chain'>,
  ): Promise<void> {
    const { database, appendRanges, serviceTenant: chain } = this.#target;
    const record = subjectBlockedRecord(subject, reason, { ...change, chain });
    try {
      await appendRanges([
        {
          items: [record],
          closeBooks: async (session) => {
            await session.query('select tally_block_subject($1, $2::uuid)', [chain, record.event.audit_id]);
          },
        },
      ]);
    } catch (error) {
      if (!takesNoRecord(error)) throw error;
      await database.query(writer, 'select tally_block_subject_unrecorded($1, $2::timestamptz, $3, $4)', [
        subject,
        new Date(change.now).toISOString(),
        change.by,
        reason ?? null,
      ]);
    }
  }

  /** @throws {ServerError} `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`: a block does not end without its record */
  async unblock(subject: string, change: Omit<PrincipalAct, 'chain'>): Promise<void> {
    const { appendRanges, serviceTenant: chain } = this.#target;
    const record = subjectUnblockedRecord(subject, { ...change, chain });
    await appendRanges([
      {
        items: [record],
        closeBooks: async (session) => {
          await session.query('select tally_unblock_subject($1, $2::uuid)', [chain, record.event.audit_id]);
          const left = await session.query('select 1 as one from audit_blocked_subjects where subject = $1', [
            subject,
          ]);
          if (left.length > 0)
            throw new ServerError('CLOCK_BEHIND_CHAIN', 'the block is dated after this time: try again');
        },
      },
    ]);
  }
}
