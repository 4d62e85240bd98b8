import { type Taxonomy, tenantIdPattern } from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';
import type { BatchItem, ItemIngest, ProducerStatement } from '../../chain/batch.ts';
import { type DeadLetter, toDeadLetter } from '../../chain/dead-letters.ts';
import { admit } from './admit.ts';
import { writeGap } from './statement.ts';

export interface GateOptions {
  readonly now: () => number;
  /** Admit only these event types; any well-formed type where absent. */
  readonly taxonomy?: Taxonomy | undefined;
  /** Tenants whose chains are stopped. Read at each event. */
  readonly stopped: { has(tenantId: string): boolean };
}

/** Why an event of a stopped chain is kept as a dead letter: until the chain is recovered, and not in the way of others. */
export const stoppedChain: Reason = Object.freeze({
  code: 'CHAIN_STOPPED',
  pointer: '',
  message: "can't be chained: the chain contradicts what was signed for it, and is stopped",
});

/** What every way in has in common: from what somebody hands in to what the chain is to do with it. */
export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /**
   * What is to be done with an event; `undefined` for one that the submitter has no right to hand in.
   *
   * @param tenants those that the submitter may write for; every one where absent
   */
  itemOf(
    raw: string | Uint8Array,
    ingest: ItemIngest,
    tenants: readonly string[] | undefined,
  ): BatchItem | undefined {
    const { now, taxonomy, stopped } = this.#options;
    const admission = admit(raw, ingest, { now: now(), taxonomy });
    if ('deadLetter' in admission) return { deadLetter: withinReach(admission.deadLetter, tenants), ingest };
    const tenantId = admission.admitted.event.tenant_id;
    if (tenants !== undefined && !tenants.includes(tenantId)) return undefined;
    if (stopped.has(tenantId)) return { deadLetter: toDeadLetter(raw, ingest, [stoppedChain]), ingest };
    return { ...admission.admitted, ingest };
  }

  /** What is to be done with an event that was refused before it came here, and whose submitter was told so. */
  refusedItem(
    raw: Uint8Array,
    ingest: ItemIngest,
    violations: readonly Reason[],
    tenants: readonly string[] | undefined,
  ): BatchItem {
    return { deadLetter: withinReach(toDeadLetter(raw, ingest, violations), tenants), ingest };
  }

  /**
   * What a producer says, without the gaps that stopped chains can't take: those are kept as dead letters, and open until
   * they are retried. What it says of its last number needs no chain.
   *
   * @param raw the whole statement as it was received, which is what is kept of it then; each gap by itself where absent
   */
  statementOf(
    said: ProducerStatement,
    from: { readonly source: string; readonly principal?: string | undefined },
    raw?: Uint8Array,
  ): { readonly statement: ProducerStatement; readonly refused: readonly BatchItem[] } {
    const { stopped } = this.#options;
    const gaps = said.gaps.filter(({ tenantId }) => stopped.has(tenantId));
    // A statement that was received whole is one letter, whatever the number of its gaps.
    const refused = (raw === undefined ? gaps : gaps.slice(0, 1)).map((gap) => ({
      deadLetter: {
        ...toDeadLetter(raw ?? writeGap(said, gap), from, [stoppedChain]),
        tenantId: gap.tenantId,
      },
    }));
    return {
      statement: { ...said, gaps: said.gaps.filter(({ tenantId }) => !stopped.has(tenantId)) },
      refused,
    };
  }
}

/** A refused event claims a tenant; it is filed under one that the submitter may write for, or under none. */
function withinReach(deadLetter: DeadLetter, tenants: readonly string[] | undefined): DeadLetter {
  const { tenantId, ...rest } = deadLetter;
  if (tenantId === undefined || !tenantIdPattern.test(tenantId)) {
    return tenants?.length === 1 ? { ...rest, tenantId: tenants[0]! } : rest;
  }
  return tenants === undefined || tenants.includes(tenantId) ? deadLetter : rest;
}
