import { type ActorType, parseActorReference } from '@tallystick/event';

/** Splits `type:id`. An id without a type is that of a user. */
export function splitActor(actor: string): readonly [type: ActorType, id: string] {
  const { type = 'user', id } = parseActorReference(actor);
  return [type, id];
}
