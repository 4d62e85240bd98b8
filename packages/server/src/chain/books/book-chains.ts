import { tenantIdPattern } from '@tallystick/event';
import type { AppendOptions } from '../append-batch.ts';
import type { LockedRows } from '../row-locks.ts';

/** Tenant of the service itself, unless the operator names another. */
export const defaultServiceTenant = 'tallystick';

type ChainOptions = Pick<AppendOptions, 'serviceTenant' | 'assertRunning'>;

export function serviceTenantOf({ serviceTenant = defaultServiceTenant }: ChainOptions): string {
  return serviceTenant;
}

/** Whether the tenant may have a chain that takes records now. Nothing is known of its head yet. */
export function canRecord(tenantId: string | undefined, { assertRunning }: ChainOptions): tenantId is string {
  if (tenantId === undefined || !tenantIdPattern.test(tenantId)) return false;
  try {
    assertRunning?.(tenantId);
    return true;
  } catch {
    return false;
  }
}

/**
 * Chooses the chain that records a change of the books: the tenant's own, if it has one and it is not stopped, or else that
 * of the service's tenant. A refused event only claims its tenant, so it must not begin a chain.
 */
export class BookChains {
  readonly #locked: Pick<LockedRows, 'heads' | 'lockedTenants'>;
  /** Tenants whose chains this batch extends or begins. */
  readonly #extended: ReadonlySet<string>;
  readonly #options: ChainOptions;

  constructor(
    locked: Pick<LockedRows, 'heads' | 'lockedTenants'>,
    extended: readonly string[],
    options: ChainOptions,
  ) {
    this.#locked = locked;
    this.#extended = new Set(extended);
    this.#options = options;
  }

  /** @returns the tenant of the chain; `undefined` if both chains are stopped: the change has no record then */
  of(tenantId: string | undefined): string | undefined {
    if (canRecord(tenantId, this.#options) && this.#hasChain(tenantId)) return tenantId;
    const service = serviceTenantOf(this.#options);
    return canRecord(service, this.#options) ? service : undefined;
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
    if (this.#extended.has(tenantId)) return true;
    return this.#locked.heads.some((head) => head.tenant_id === tenantId && head.last_sequence >= 0);
  }
}
