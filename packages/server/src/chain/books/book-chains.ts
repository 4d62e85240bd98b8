import { type BookOptions, canRecord, serviceTenantOf } from '../book-options.ts';
import { canBeExtended, type HeadRow } from '../head.ts';

interface LockedHeads {
  readonly heads: readonly HeadRow[];
  readonly lockedTenants: ReadonlySet<string>;
}

/**
 * Chooses the chain that records a change of the books: the tenant's own, if it has one that can be extended, or else that
 * of the service's tenant. A refused event only claims its tenant, so it must not begin a chain.
 */
export class BookChains {
  readonly #locked: LockedHeads;
  /** Tenants whose chains this batch extends or begins. */
  readonly #extended: ReadonlySet<string>;
  readonly #options: BookOptions;

  constructor(locked: LockedHeads, extended: readonly string[], options: BookOptions) {
    this.#locked = locked;
    this.#extended = new Set(extended);
    this.#options = options;
  }

  /** @returns the tenant of the chain; `undefined` if neither chain can be extended: the change has no record then */
  of(tenantId: string | undefined): string | undefined {
    if (canRecord(tenantId, this.#options) && this.#hasChain(tenantId)) return tenantId;
    const service = serviceTenantOf(this.#options);
    return canRecord(service, this.#options) && this.#isIntact(service) ? service : undefined;
  }

  /** Whether the transaction holds the locks on the chains of these tenants, and on the service's where it is chosen. */
  isLockedFor(tenantIds: readonly (string | undefined)[]): boolean {
    const isLocked = (tenantId: string | undefined) =>
      tenantId === undefined || this.#locked.lockedTenants.has(tenantId);
    return tenantIds.every(
      (tenantId) =>
        (isLocked(tenantId) || !canRecord(tenantId, this.#options)) && isLocked(this.of(tenantId)),
    );
  }

  #hasChain(tenantId: string): boolean {
    if (!this.#isIntact(tenantId)) return false;
    return this.#extended.has(tenantId) || (this.#head(tenantId)?.last_sequence ?? -1) >= 0;
  }

  /** A head that is damaged or ahead of the clock must hold up only the events of its tenant, and no dead letter. */
  #isIntact(tenantId: string): boolean {
    const head = this.#head(tenantId);
    return head === undefined || canBeExtended(head);
  }

  #head(tenantId: string): HeadRow | undefined {
    return this.#locked.heads.find((head) => head.tenant_id === tenantId);
  }
}
