import type { EmbeddedDesk } from '@tallystick/server/embedded';

/** Who decides in the run, and what. */
const rules = {
  stop_production_line: { verdict: 'deny', people: ['mia'] },
  otherwise: { verdict: 'grant', people: ['mia', 'jo'] },
} as const;

/** What was decided about one action. */
export interface Decided {
  readonly intentId: string;
  readonly text: string;
}

/**
 * Decides what waits at the desk, as two people would: they never stop production, and permit the rest. The oldest request comes first.
 *
 * @returns each decision
 */
export async function decideWaiting(desk: EmbeddedDesk, tenantId: string): Promise<Decided[]> {
  const waiting = (await desk.list(tenantId)).filter(({ state }) => state === 'pending');
  const decided: Decided[] = [];
  for (const { id, intent_id: intentId, document, rules: needed } of waiting.toReversed()) {
    const { verdict, people } =
      document.action === 'stop_production_line' ? rules.stop_production_line : rules.otherwise;
    for (const subject of people.slice(0, verdict === 'deny' ? 1 : needed.approvals)) {
      await desk.decide(tenantId, id, { verdict, subject });
      decided.push({
        intentId,
        text: `${subject} ${verdict === 'grant' ? 'grants' : 'denies'} ${document.action}`,
      });
    }
  }
  return decided;
}
