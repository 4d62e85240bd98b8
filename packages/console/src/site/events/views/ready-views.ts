import type { Changes } from '../../address/place.ts';

/** A question about a trail that readers ask often. */
export interface ReadyView {
  readonly name: string;
  /** Of the address of the events page. */
  readonly parameters: Changes;
}

/** The views that every browser offers. Each uses fields that all trails have. */
export const readyViews: readonly ReadyView[] = [
  {
    name: 'What went wrong in the last 24 hours',
    parameters: { outcome_status: ['failure', 'denied', 'blocked'], last: '24h' },
  },
  { name: 'Critical events of the last 7 days', parameters: { severity: 'critical', last: '7d' } },
  { name: 'What people did in the last 24 hours', parameters: { actor_type: 'user', last: '24h' } },
  { name: 'What agents did in the last 24 hours', parameters: { actor_type: 'agent', last: '24h' } },
  { name: 'Approvals, and who decided them', parameters: { event_type: 'approval.*' } },
  { name: 'Who read this trail', parameters: { event_type: 'audit.*', reads: '1' } },
];
