import type { EmbeddedDesk } from '@tallystick/server/embedded';

type Waiting = Awaited<ReturnType<EmbeddedDesk['list']>>[number];

/** What a person decided about one action. */
export interface Decided {
  readonly person: string;
  readonly verdict: 'grant' | 'deny';
}

interface Opinion extends Decided {
  readonly comment?: string;
}

/** What two people say about an action that waits. */
function opinionsOn({ document: { action, target } }: Waiting): readonly Opinion[] {
  if (action === 'stop_production_line') {
    return [
      { person: 'mia', verdict: 'grant', comment: 'Setpoint 910 is outside of the safe range.' },
      { person: 'jo', verdict: 'grant', comment: 'The shift lead agrees. Stop the line.' },
    ];
  }
  if (target?.id.startsWith('adm.')) {
    return [{ person: 'jo', verdict: 'deny', comment: 'The administrator is travelling, and confirms it.' }];
  }
  return [
    { person: 'mia', verdict: 'grant' },
    { person: 'jo', verdict: 'grant' },
  ];
}

/** Decides what waits at the desk, as two people would, the oldest request first. */
export async function decideWaiting(desk: EmbeddedDesk, tenantId: string): Promise<Decided[]> {
  const waiting = (await desk.list(tenantId)).filter(({ state }) => state === 'pending');
  const decided: Decided[] = [];
  for (const approval of waiting.toReversed()) {
    for (const opinion of opinionsOn(approval).slice(0, approval.rules.approvals)) {
      const { person, verdict, comment } = opinion;
      await desk.decide(tenantId, approval.id, { verdict, subject: person, comment });
      decided.push({ person, verdict });
    }
  }
  return decided;
}
