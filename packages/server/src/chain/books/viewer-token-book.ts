import { type Queries, writer } from '../../store/database.ts';
import {
  type ViewerTokenChange,
  viewerTokenIssuedRecord,
  viewerTokenRevokedRecord,
} from '../service-records/viewer-token-records.ts';
import { type KeyBookTarget, takesNoRecord } from './key-book.ts';

type Change = Omit<ViewerTokenChange, 'chain'>;

/** Stores changes of viewer tokens, each in one transaction with the record of it in the chain of the service's tenant. */
export class ViewerTokenBook {
  readonly #target: KeyBookTarget;

  constructor(target: KeyBookTarget) {
    this.#target = target;
  }

  /** @throws {ServerError} `CHAIN_STOPPED` or `CLOCK_BEHIND_CHAIN`: a token that can't be recorded is not made */
  async issued(
    { facts, ...change }: Change & { readonly facts: { readonly [fact: string]: unknown } },
    within: (session: Queries) => Promise<void>,
  ): Promise<void> {
    const { appendRanges, serviceTenant: chain } = this.#target;
    const record = viewerTokenIssuedRecord({ ...change, chain }, facts);
    await appendRanges([{ items: [record], closeBooks: within }]);
  }

  async revoked(change: Change, within: (session: Queries) => Promise<void>): Promise<void> {
    const { database, appendRanges, serviceTenant: chain } = this.#target;
    try {
      const record = viewerTokenRevokedRecord({ ...change, chain });
      await appendRanges([{ items: [record], closeBooks: within }]);
    } catch (error) {
      if (!takesNoRecord(error)) throw error;
      await database.transaction(writer, within);
    }
  }
}
