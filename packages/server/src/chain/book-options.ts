import { tenantIdPattern } from '@tallystick/event';

/** Tenant of the service itself, unless the operator names another. */
export const defaultServiceTenant = 'tallystick';

/** Which chains can record changes of the books. */
export interface BookOptions {
  /** Tenant whose chain takes the service's records that belong to no other chain. @defaultValue 'tallystick' */
  readonly serviceTenant?: string;
  /** Throws if the tenant's chain is stopped. */
  readonly assertRunning?: (tenantId: string) => void;
}

export function serviceTenantOf({ serviceTenant = defaultServiceTenant }: BookOptions): string {
  return serviceTenant;
}

/** Whether the tenant may have a chain that takes records now. Nothing is known of its head yet. */
export function canRecord(tenantId: string | undefined, { assertRunning }: BookOptions): tenantId is string {
  if (tenantId === undefined || !tenantIdPattern.test(tenantId)) return false;
  try {
    assertRunning?.(tenantId);
    return true;
  } catch {
    return false;
  }
}
