import { actorTypes, limits } from '@tallystick/event';
import type { EventDraft } from './event-draft.ts';
import { checkServiceActor } from './field-checks.ts';
import { quoteIdentifier } from './strings.ts';

const actorTypeSet: ReadonlySet<unknown> = new Set(actorTypes);

/** JSON text of `on_behalf_of`, or `undefined` if the caller gave none. An invalid member is a fault of the event's data. */
export function encodeDelegations(draft: EventDraft, given: unknown): string | undefined {
  if (given === undefined || given === null) return undefined;
  if (!Array.isArray(given)) {
    draft.refuse('FIELD_TYPE', '/on_behalf_of', 'must be an array');
    return undefined;
  }
  if (given.length > limits.maxDelegations) {
    draft.refuse('FIELD_LENGTH', '/on_behalf_of', `must have at most ${limits.maxDelegations} items`);
    return undefined;
  }
  const items: string[] = [];
  for (const [index, principal] of given.entries()) {
    const name = `on_behalf_of/${index}`;
    const { actorType, actorId } = membersOf(principal);
    if (!actorTypeSet.has(actorType)) {
      draft.refuse('FIELD_ENUM', `/${name}/actor_type`, `must be one of ${actorTypes.join(', ')}`);
    }
    const id = draft.identifier(`${name}/actor_id`, actorId);
    if (id === undefined && (actorId === undefined || actorId === null || actorId === '')) {
      draft.refuse('FIELD_REQUIRED', `/${name}/actor_id`, 'is required');
    }
    checkServiceActor(draft, actorType, actorId, `/${name}/actor_id`);
    items.push(`{"actor_id":${quoteIdentifier(id ?? '')},"actor_type":"${String(actorType)}"}`);
  }
  return `[${items.join(',')}]`;
}

/** A getter of the caller's object may throw. Its member is then missing. */
function membersOf(principal: unknown): { readonly actorType?: unknown; readonly actorId?: unknown } {
  if (typeof principal !== 'object' || principal === null) return {};
  try {
    const { actorType, actorId } = principal as { actorType?: unknown; actorId?: unknown };
    return { actorType, actorId };
  } catch {
    return {};
  }
}
