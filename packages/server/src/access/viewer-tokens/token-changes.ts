import type { Queries } from '../../store/database.ts';

/** A change of a token, for its record. */
interface TokenChange {
  readonly id: string;
  /** Principal of the caller. */
  readonly by: string;
  readonly now: number;
  readonly tenantId: string;
}

/** Records what happens to tokens. `within` runs in the transaction of the record. */
export interface TokenChanges {
  issued(
    change: TokenChange & { readonly facts: { readonly [fact: string]: unknown } },
    within: (session: Queries) => Promise<void>,
  ): Promise<void>;
  /** If the chain can't be written, the token is revoked without a record. */
  revoked(change: TokenChange, within: (session: Queries) => Promise<void>): Promise<void>;
}
