import { type Taxonomy, tenantIdPattern } from '@tallystick/event';
import type { Reason } from '@tallystick/protocol';
import type { BatchItem, ItemIngest, ProducerStatement } from '../../chain/batch.ts';
import { type DeadLetter, toDeadLetter } from '../../chain/dead-letters.ts';
import { admit, withoutSecrets } from './admit.ts';
import type { AdmissionRedaction } from './redaction.ts';
import { writeGap } from './statement.ts';

export interface AdmissionOptions {
  readonly now: () => number;
  /** Admit only these event types; any well-formed type where absent. */
  readonly taxonomy?: Taxonomy | undefined;
  /** Removes secrets from events and from refused bytes; absent where the operator has turned redaction off. */
  readonly redaction?: AdmissionRedaction | undefined;
  /** Tenants whose chains are stopped. Consulted for each event. */
  readonly stopped: { has(tenantId: string): boolean };
}

/** Why events of a stopped chain become dead letters. An operator retries them once the chain is recovered. */
export const stoppedChain: Reason = Object.freeze({
  code: 'CHAIN_STOPPED',
  pointer: '',
  message: 'cannot be chained: the chain contradicts a signed checkpoint, and is stopped',
});

/** Turns what a client submits into items of a batch. HTTP, Kafka, the gateway and embedded callers all use it. */
export class Admission {
  readonly #options: AdmissionOptions;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /**
   * Admits one event.
   *
   * @param tenants the tenants that the submitter may write for; every tenant where absent
   * @returns the item for the batch; `undefined` where the submitter may not write for the event's tenant
   */
  itemOf(
    raw: string | Uint8Array,
    ingest: ItemIngest,
    tenants: readonly string[] | undefined,
  ): BatchItem | undefined {
    const { now, taxonomy, redaction, stopped } = this.#options;
    const result = admit(raw, ingest, { now: now(), taxonomy, redaction });
    if ('deadLetter' in result)
      return { deadLetter: withPermittedTenant(result.deadLetter, tenants), ingest };
    const tenantId = result.admitted.event.tenant_id;
    if (tenants !== undefined && !tenants.includes(tenantId)) return undefined;
    if (stopped.has(tenantId))
      return { deadLetter: toDeadLetter(this.#kept(raw), ingest, [stoppedChain]), ingest };
    return { ...result.admitted, ingest };
  }

  /** Bytes that are refused for another reason, without their secrets. */
  withoutSecrets<B extends Uint8Array | null>(raw: B): B | Uint8Array {
    return raw === null ? raw : (this.#kept(raw) as Uint8Array);
  }

  #kept(raw: string | Uint8Array): string | Uint8Array {
    return withoutSecrets(raw, this.#options.redaction);
  }

  /** The item for an event that was refused before admission, and whose submitter knows of the refusal. */
  refusedItem(
    raw: Uint8Array,
    ingest: ItemIngest,
    violations: readonly Reason[],
    tenants: readonly string[] | undefined,
  ): BatchItem {
    return {
      deadLetter: withPermittedTenant(toDeadLetter(this.#kept(raw), ingest, violations), tenants),
      ingest,
    };
  }

  /**
   * Separates the gaps that a stopped chain can not take. They become dead letters, and their numbers stay open until an
   * operator retries them. A final number is always accepted: it changes the producer's account and no chain.
   *
   * @param raw the statement as it was received: all refused gaps share one dead letter with these bytes. Where absent,
   *   each refused gap gets a dead letter of its own
   */
  statementOf(
    statement: ProducerStatement,
    from: { readonly source: string; readonly principal?: string | undefined },
    raw?: Uint8Array,
  ): { readonly statement: ProducerStatement; readonly refused: readonly BatchItem[] } {
    const { stopped } = this.#options;
    const gaps = statement.gaps.filter(({ tenantId }) => stopped.has(tenantId));
    const refused = (raw === undefined ? gaps : gaps.slice(0, 1)).map((gap) => ({
      deadLetter: {
        ...toDeadLetter(this.#kept(raw ?? writeGap(statement, gap)), from, [stoppedChain]),
        tenantId: gap.tenantId,
      },
    }));
    return {
      statement: { ...statement, gaps: statement.gaps.filter(({ tenantId }) => !stopped.has(tenantId)) },
      refused,
    };
  }
}

/**
 * A refused event only claims its tenant. The dead letter keeps a tenant that the submitter may write for, and no tenant
 * otherwise.
 */
function withPermittedTenant(deadLetter: DeadLetter, tenants: readonly string[] | undefined): DeadLetter {
  const { tenantId, ...rest } = deadLetter;
  if (tenantId === undefined || !tenantIdPattern.test(tenantId)) {
    return tenants?.length === 1 ? { ...rest, tenantId: tenants[0]! } : rest;
  }
  return tenants === undefined || tenants.includes(tenantId) ? deadLetter : rest;
}
