import type { PlannedAction } from './investigation.ts';
import type { Lineage } from './lineage.ts';

/** What a kill switch stops: everything automatic of a tenant, or what concerns one pattern, technique or source. */
export interface KillScope {
  readonly kind: 'tenant' | 'pattern' | 'technique' | 'source';
  readonly value: string;
}

/** How far the platform may act by itself. Governance implements it. */
export interface Controls {
  /** Whether a kill switch of the tenant stops any of the scopes. */
  isKilled(tenantId: string, scopes: readonly KillScope[]): Promise<boolean>;
  /** Whether the tenant is in shadow mode: decisions are recorded and have no effect. */
  isShadow(tenantId: string): Promise<boolean>;
  /** Whether one more automatic action is permitted now. If not, a human must approve it. It counts the permitted ones. */
  admitAutomatic(lineage: Lineage, action: PlannedAction): Promise<boolean>;
}
