import { type ActorType, actorTypes } from './event.ts';

/** Whom a text means: an actor of a type, or an actor of any type with this id. */
export interface ActorReference {
  readonly type: ActorType | undefined;
  readonly id: string;
}

/** Splits `type:id`. An id may itself contain colons, as ARNs do, so only a known type of actor is split off. */
export function parseActorReference(text: string): ActorReference {
  const at = text.indexOf(':');
  const type = text.slice(0, Math.max(at, 0));
  const isTyped = (actorTypes as readonly string[]).includes(type) && at < text.length - 1;
  return isTyped ? { type: type as ActorType, id: text.slice(at + 1) } : { type: undefined, id: text };
}
