import { type Queries, writer } from '../../store/database.ts';
import type { EventItem } from '../batch.ts';
import { type SessionFacts, signInRecord, signOutRecord } from '../service-records/session-records.ts';
import { type KeyBookTarget, takesNoRecord } from './key-book.ts';

interface Change {
  readonly principal: { readonly id: string; readonly subject?: string | undefined };
  readonly id: string;
  readonly method: string;
  readonly now: number;
  readonly address: string | undefined;
}

/**
 * Opens and ends sessions of the console, each in one transaction with the record of it in the chain of the service's tenant. If that
 * chain can't be written, people can still sign in: the operator needs the console to find the fault, and API keys work too.
 */
export class SessionBook {
  readonly #target: KeyBookTarget;

  constructor(target: KeyBookTarget) {
    this.#target = target;
  }

  async signedIn(change: Change, within: (session: Queries) => Promise<void>): Promise<void> {
    await this.#append(signInRecord(this.#facts(change), 'success'), within);
  }

  async signedOut(change: Change, within: (session: Queries) => Promise<void>): Promise<void> {
    await this.#append(signOutRecord(this.#facts(change)), within);
  }

  async refused({ method, now, address }: Omit<Change, 'principal' | 'id'>): Promise<void> {
    const facts = { by: undefined, method, now, address, chain: this.#target.serviceTenant };
    await this.#append(signInRecord(facts, 'denied'), async () => {});
  }

  #facts({ principal, id, method, now, address }: Change): SessionFacts {
    const { id: by, subject } = principal;
    return { by, subject, session: id, method, now, address, chain: this.#target.serviceTenant };
  }

  async #append(record: EventItem, within: (session: Queries) => Promise<void>): Promise<void> {
    const { database, appendRanges } = this.#target;
    try {
      await appendRanges([{ items: [record], closeBooks: within }]);
    } catch (error) {
      if (!takesNoRecord(error)) throw error;
      await database.transaction(writer, within);
    }
  }
}
