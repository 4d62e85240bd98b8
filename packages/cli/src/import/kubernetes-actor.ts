import type { ActorType } from '@tallystick/event';
import { identifier } from './admissible.ts';

/**
 * Who acted: always the authenticated user, also where somebody else was impersonated. Kubernetes keeps the prefix
 * `system:` for itself; only `system:anonymous` and service accounts behind it are not the cluster's own parts.
 */
export function kubernetesActor(username: string | undefined): { actor_type: ActorType; actor_id: string } {
  const id = identifier(username) ?? 'system:anonymous';
  if (id.startsWith('system:serviceaccount:')) return { actor_type: 'service', actor_id: id };
  const isPart = id.startsWith('system:') && id !== 'system:anonymous';
  return { actor_type: isPart ? 'system' : 'user', actor_id: id };
}
