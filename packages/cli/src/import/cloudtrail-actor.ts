import type { ActorType } from '@tallystick/event';
import { identifier } from './admissible.ts';
import { identity as identityOf, object, type SourceObject, text } from './source-json.ts';

/**
 * Who acted, from CloudTrail's `userIdentity` element. IAM users, root, federated users, and roles that IAM Identity Center
 * gives to people are users. Other roles, accounts and AWS services are services.
 */
export function cloudTrailActor(
  identity: SourceObject,
  eventSource: string,
): { actor_type: ActorType; actor_id: string } {
  return { actor_type: typeOf(identity), actor_id: idOf(identity) ?? identifier(eventSource) ?? 'unknown' };
}

const people = [
  'Root',
  'IAMUser',
  'IdentityCenterUser',
  'SAMLUser',
  'WebIdentityUser',
  'FederatedUser',
  'Directory',
];

function typeOf(identity: SourceObject): ActorType {
  const type = text(identity.type);
  if (type === undefined) return text(identity.userName) === undefined ? 'service' : 'user';
  if (people.includes(type)) return 'user';
  const issuer = text(object(object(identity.sessionContext).sessionIssuer).arn);
  return type === 'AssumedRole' && issuer?.includes('/AWSReservedSSO_') === true ? 'user' : 'service';
}

function idOf(identity: SourceObject): string | undefined {
  const onBehalfOf = object(identity.onBehalfOf);
  return identifier(
    identityOf(identity.arn) ??
      identityOf(identity.invokedBy) ??
      identityOf(onBehalfOf.userId) ??
      identityOf(identity.userName) ??
      identityOf(identity.principalId) ??
      identityOf(identity.accountId),
  );
}
