import { limits } from '@tallystick/event';
import type { AuditPrincipal } from '../event/input.ts';

/**
 * An id that an event can have. Clients and models choose ids, and must not be able to suppress an event with one that is too long. The
 * mark at its end shows that it was longer.
 */
export function fittingId(id: string): string {
  const { maxIdentifierLength: max } = limits;
  return typeof id === 'string' && id.length > max ? `${id.slice(0, max - 1)}…` : id;
}

/** A principal that an event can have. */
export function fittingPrincipal(principal: AuditPrincipal): AuditPrincipal {
  return { ...principal, actorId: fittingId(principal.actorId) };
}
