import type { DatabaseFollower } from '../follower.ts';
import { applyAgentRecords } from './apply.ts';
import { type DueParts, findDue } from './due.ts';
import type { Patience } from './sources.ts';

/** How long the service waits before it puts on record that the end of an action is missing. */
export interface OpenIntentsOptions extends Partial<Patience> {}

/** The defaults of {@link OpenIntentsOptions}. */
const openIntentsDefaults: Patience = Object.freeze({ graceMs: 60_000, silentMs: 2 * 3_600_000 });

/** Longest pause between two looks at a row whose sources have not caught up, ms. */
const maxRecheckMs = 5_000;

const name = 'open-intents';

/**
 * Follows the actions of agents from their intent to their end. An intent whose end is not reported by its deadline becomes
 * `agent.action.unresolved`, and an end without an intent `agent.action.unexplained`; see {@link haveCaughtUp} for when.
 */
export function openIntents(parts: DueParts, options: OpenIntentsOptions = {}): DatabaseFollower {
  const patience: Patience = { ...openIntentsDefaults, ...options };
  const recheckMs = Math.min(maxRecheckMs, Math.max(100, patience.graceMs));
  return {
    name,
    effect: 'database',
    apply: (session, page) => applyAgentRecords(session, page, patience.graceMs),
    async clear(session, generation, tenantId) {
      const rows = await session.query<{ one: number }>(
        `with chosen as (
           select tenant_id, intent_id from audit_open_intents
            where generation = $1::integer and ($2::text is null or tenant_id = $2) limit 10000
         )
         delete from audit_open_intents i using chosen
          where i.generation = $1::integer and i.tenant_id = chosen.tenant_id and i.intent_id = chosen.intent_id returning 1 as one`,
        [generation, tenantId ?? null],
      );
      return rows.length === 10_000;
    },
    tick: (state) => findDue(parts, state, { ...patience, follower: name, recheckMs }),
  };
}
