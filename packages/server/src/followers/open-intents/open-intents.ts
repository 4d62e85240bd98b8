import type { DatabaseFollower } from '../follower.ts';
import { applyAgentRecords } from './apply.ts';
import { type DueParts, findDue } from './due.ts';
import type { Patience } from './sources.ts';

/** How long the service waits before it puts on record that the end of an action is missing. All replicas need the same. */
export interface OpenIntentsOptions {
  /**
   * How long an intent has that names no deadline, or whose policy asks for an approval that the service can't see, ms.
   * @defaultValue 86400000, a day
   */
  readonly timeoutMs?: number | undefined;
  /** How long after its deadline an end may still arrive, ms. @defaultValue 60000 */
  readonly graceMs?: number | undefined;
  /**
   * A producer that has sent nothing for this long counts as ended, ms. It must be longer than an outage that spools outlast.
   * @defaultValue 7200000, two hours
   */
  readonly silentMs?: number | undefined;
}

/** The defaults of {@link OpenIntentsOptions}. */
const openIntentsDefaults: Patience = Object.freeze({
  timeoutMs: 24 * 3_600_000,
  graceMs: 60_000,
  silentMs: 2 * 3_600_000,
});

/** Longest pause between two looks at a row whose sources have not caught up, ms. */
const maxRecheckMs = 5_000;

const name = 'open-intents';

/**
 * Follows the actions of agents from their intent to their end. An intent whose end is not reported by its deadline becomes
 * `agent.action.unresolved`, and an end without an intent `agent.action.unexplained`; see {@link haveCaughtUp} for when.
 */
export function openIntents(parts: DueParts, options: OpenIntentsOptions = {}): DatabaseFollower {
  const { timeoutMs, graceMs, silentMs } = openIntentsDefaults;
  const patience: Patience = {
    timeoutMs: options.timeoutMs ?? timeoutMs,
    graceMs: options.graceMs ?? graceMs,
    silentMs: options.silentMs ?? silentMs,
  };
  const recheckMs = Math.min(maxRecheckMs, Math.max(100, patience.graceMs));
  return {
    name,
    effect: 'database',
    apply: (session, page) => applyAgentRecords(session, page, patience),
    async clear(session, generation, tenantId) {
      if (tenantId !== undefined) {
        const ofTenant = 'delete from audit_open_intents where generation = $1::integer and tenant_id = $2';
        await session.query(ofTenant, [generation, tenantId]);
        return false;
      }
      // By the place of the rows: the planner knows nothing of a new generation, and would join it with itself row by row.
      await session.query(
        `delete from audit_open_intents
          where ctid = any (array(select ctid from audit_open_intents where generation = $1::integer limit 10000))`,
        [generation],
      );
      const left = 'select 1 as one from audit_open_intents where generation = $1::integer limit 1';
      return (await session.query(left, [generation])).length > 0;
    },
    tick: (state) => findDue(parts, state, { ...patience, follower: name, recheckMs }),
  };
}
