import type { TenantTier } from './settings.ts';

/** A customer of the platform. */
export interface Tenant {
  readonly id: string;
  /** Decides how many model calls an hour the tenant has. */
  readonly tier: TenantTier;
  /** In shadow mode the platform decides and records, and changes nothing. */
  readonly shadow: boolean;
}

/** Whose messages with an unknown tenant are recorded. */
export const platformTenant = 'soc-platform';

/** The tenants that the platform serves. */
export class TenantDirectory {
  readonly #tenants: ReadonlyMap<string, Tenant>;

  constructor(tenants: readonly Tenant[]) {
    this.#tenants = new Map(tenants.map((tenant) => [tenant.id, tenant]));
  }

  find(id: string): Tenant | undefined {
    return this.#tenants.get(id);
  }

  all(): readonly Tenant[] {
    return [...this.#tenants.values()];
  }
}
