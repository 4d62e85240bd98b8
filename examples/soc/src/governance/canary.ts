import type { Settings } from '../platform/settings.ts';

/** A new version of something that decides, tried beside the current one. */
export interface Canary {
  readonly canary_id: string;
  readonly tenant_id: string;
  /** What is tried, such as `prompt alert.classify 2`. */
  readonly candidate: string;
  readonly compared: number;
  readonly agreed: number;
  readonly state: 'running' | 'promoted' | 'rolled_back';
}

/** How the canary goes on after one more comparison. It is judged once enough decisions were compared. */
export function compare(canary: Canary, agrees: boolean, { canary: limits }: Settings['governance']): Canary {
  const compared = canary.compared + 1;
  const agreed = canary.agreed + (agrees ? 1 : 0);
  const counted = { ...canary, compared, agreed };
  // It can't reach the agreement any more, so the rest need not be waited for.
  const bestShare = (limits.decisions - (compared - agreed)) / limits.decisions;
  const isLost = bestShare < limits.rollBackBelowAgreement;
  if (isLost) return { ...counted, state: 'rolled_back' };
  if (compared < limits.decisions) return counted;
  return { ...counted, state: agreed / compared >= limits.promoteFromAgreement ? 'promoted' : 'rolled_back' };
}
