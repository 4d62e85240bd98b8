import { type ActorType, actorTypes } from '@tallystick/event';

/** Splits `type:id`. An id may itself contain colons, as ARNs do, so only a known type of actor is split off. */
export function splitActor(actor: string): readonly [type: ActorType, id: string] {
  const at = actor.indexOf(':');
  const type = actor.slice(0, Math.max(at, 0));
  const isTyped = (actorTypes as readonly string[]).includes(type) && at < actor.length - 1;
  return isTyped ? [type as ActorType, actor.slice(at + 1)] : ['user', actor];
}
