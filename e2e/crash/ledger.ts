import { ChainVerifier, FrontierBuilder, formatOrigin, frontierRoot, leafHash, toHex } from '@tallystick/log';
import { expect } from 'vitest';
import type { Orders } from './ingest-child.ts';

/** Runs SQL on the store under test. */
export type Query = <R extends object>(sql: string, parameters?: unknown[]) => Promise<R[]>;

interface Chain {
  readonly verifier: ChainVerifier;
  readonly tree: FrontierBuilder;
  /** Sequence number of every event that was found in the store, by its id. */
  readonly stored: Map<string, number>;
}

/** Compares what was submitted and acknowledged in all rounds with what is stored. */
export class Ledger {
  readonly #chains = new Map<string, Chain>();
  readonly #sent = new Map<string, string>();
  readonly #acknowledged = new Map<string, number>();
  resent = 0;
  /** Number of acknowledgements with the status `duplicate`. */
  duplicates = 0;

  constructor(tenants: readonly string[], logName: string) {
    for (const tenantId of tenants) {
      const origin = formatOrigin({ logName, tenantId, epoch: 1 });
      this.#chains.set(tenantId, {
        verifier: new ChainVerifier({ tenantId, origin }),
        tree: new FrontierBuilder(),
        stored: new Map(),
      });
    }
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  get records(): number {
    let records = 0;
    for (const { verifier } of this.#chains.values()) records += verifier.nextSequence;
    return records;
  }

  /** Events that were submitted and not acknowledged. They may be stored or not. */
  unacknowledged(): Orders['unacknowledged'] {
    const pending = [...this.#sent].filter(([id]) => !this.#acknowledged.has(id));
    this.resent += pending.length;
    return pending.map(([id, tenant]) => ({ id, tenant }));
  }

  /** Adds the output of a process that has ended. */
  take(lines: readonly string[]): void {
    for (const line of lines) {
      const [kind, tenant, id, sequence, status] = line.split(' ');
      if (kind === 'sent') this.#sent.set(id!, tenant!);
      if (kind !== 'ack') continue;
      // An event has one place in the chain, however often it was sent.
      expect(this.#acknowledged.get(id!) ?? Number(sequence)).toBe(Number(sequence));
      this.#acknowledged.set(id!, Number(sequence));
      if (status === 'duplicate') this.duplicates++;
    }
  }

  /** Reads the new records, and expects that every chain verifies and has each acknowledged event once, at its position. */
  async check(query: Query): Promise<void> {
    for (const [tenantId, chain] of this.#chains) await this.#checkChain(query, tenantId, chain);
    for (const [id, sequence] of this.#acknowledged) {
      const stored = this.#chains.get(this.#sent.get(id)!)!.stored.get(id);
      if (stored !== sequence) expect({ id, stored }).toEqual({ id, stored: sequence });
    }
  }

  async #checkChain(query: Query, tenantId: string, { verifier, tree, stored }: Chain): Promise<void> {
    const rows = await query<{ sequence_number: string; record: string; hash: string; audit_id: string }>(
      `select sequence_number, record, encode(record_hash, 'hex') as hash, audit_id::text as audit_id
         from audit_records where tenant_id = $1 and sequence_number >= $2 order by sequence_number`,
      [tenantId, verifier.nextSequence],
    );
    for (const row of rows) {
      const { hash, findings } = verifier.check({
        text: row.record,
        hashHex: row.hash,
        sequenceNumber: Number(row.sequence_number),
      });
      expect(findings).toEqual([]);
      expect(stored.has(row.audit_id)).toBe(false);
      stored.set(row.audit_id, Number(row.sequence_number));
      tree.append(leafHash(hash));
    }
    const [head] = await query<{ sequence: string; hash: string; frontier: string }>(
      `select last_sequence as sequence, encode(last_hash, 'hex') as hash, encode(frontier, 'hex') as frontier
         from audit_chain_state where tenant_id = $1`,
      [tenantId],
    );
    // If the first batch of a tenant never committed, the tenant has no head.
    if (head === undefined) return expect(verifier.nextSequence).toBe(0);
    expect(Number(head.sequence)).toBe(verifier.nextSequence - 1);
    expect(head.hash).toBe(verifier.headHash);
    expect(head.frontier).toBe(tree.snapshot().roots.map(toHex).join(''));
    expect(toHex(frontierRoot(tree.snapshot()))).toBe(toHex(tree.root()));
  }
}
