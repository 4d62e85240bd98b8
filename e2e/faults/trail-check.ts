import { setImmediate as turn } from 'node:timers/promises';
import { ChainVerifier, FrontierBuilder, formatOrigin, leafHash, parseOrigin, toHex } from '@tallystick/log';
import { actorOf } from './publisher.ts';
import type { Traffic } from './traffic.ts';

/** Runs SQL on the store under test; all of one check in one snapshot. */
export type Query = <R extends object>(sql: string, parameters?: unknown[]) => Promise<R[]>;

/** A checkpoint in the signer's own store, outside of the database. */
export interface SignedTree {
  readonly origin: string;
  readonly size: number;
  /** Hex. */
  readonly root: string;
}

interface Chain {
  readonly verifier: ChainVerifier;
  readonly tree: FrontierBuilder;
  /** Root of the tree of each size, hex, to compare signed trees with. */
  readonly roots: string[];
  readonly ids: Set<string>;
  /** Offset of the last chained message, by topic and partition. */
  readonly offsets: Map<string, number>;
  broken: boolean;
}

/** Records of a tenant that one query reads, to bound the memory. */
const pageSize = 2_000;

const pageSql = `
  select r.tenant_id, r.epoch, r.sequence_number::text as sequence, r.audit_id::text as audit_id,
         encode(r.record_hash, 'hex') as hash, r.record
    from jsonb_to_recordset($1::jsonb) as k(tenant_id text, next bigint)
   cross join lateral (
     select * from audit_records a
      where a.tenant_id = k.tenant_id and a.epoch = 1 and a.sequence_number >= k.next
      order by a.epoch, a.sequence_number limit ${pageSize}) r
   order by r.tenant_id, r.sequence_number`;

const headsSql = `
  select tenant_id, epoch, last_sequence::text as sequence, encode(last_hash, 'hex') as hash,
         encode(frontier, 'hex') as frontier
    from audit_chain_state`;

interface HeadRow {
  readonly tenant_id: string;
  readonly epoch: number;
  readonly sequence: string;
  readonly hash: string;
  readonly frontier: string;
}

interface RecordRow {
  readonly tenant_id: string;
  readonly sequence: string;
  readonly audit_id: string;
  readonly hash: string;
  readonly record: string;
}

/**
 * Compares the store with the acknowledged events. Each check reads the records that are new since the last one, verifies
 * them as the continuation of what it has read, and keeps what the next check needs.
 */
export class TrailCheck {
  /** What is wrong. If this is not empty, the campaign has failed. */
  readonly problems: string[] = [];
  duplicates = 0;
  gaps = 0;
  extraGeneses = 0;
  readonly #logName: string;
  readonly #traffic: Traffic;
  readonly #chains = new Map<string, Chain>();
  /** Tenant of each event that is acknowledged and not found in the store yet, by id. */
  readonly #awaited = new Map<string, string>();
  /** How many acknowledged events were added to {@link #awaited} or found. */
  #taken = 0;
  #stored = 0;

  constructor(logName: string, traffic: Traffic) {
    this.#logName = logName;
    this.#traffic = traffic;
  }

  /** Events of the campaign in the store, each counted once. */
  get stored(): number {
    return this.#stored;
  }

  /** Number of chains with a problem. */
  get unverified(): number {
    return [...this.#chains.values()].filter((chain) => chain.broken).length;
  }

  /** The ids of those of the first `count` acknowledged events that are not stored, as of the last read. */
  missing(count: number): string[] {
    for (; this.#taken < count; this.#taken++) {
      const { id, tenantId } = this.#traffic.acknowledged[this.#taken]!;
      if (!this.#chains.get(tenantId)?.ids.has(id)) this.#awaited.set(id, tenantId);
    }
    return [...this.#awaited.keys()];
  }

  /** Reads and verifies new records. */
  async read(query: Query): Promise<readonly HeadRow[]> {
    const heads = await query<HeadRow>(headsSql);
    for (;;) {
      const grown = heads
        .map((head) => ({ ...head, next: this.#chain(head.tenant_id).verifier.nextSequence }))
        .filter(({ sequence, next }) => Number(sequence) >= next)
        .slice(0, 50);
      if (grown.length === 0) return heads;
      const wanted = grown.map(({ tenant_id, next }) => ({ tenant_id, next }));
      const rows = await query<RecordRow>(pageSql, [JSON.stringify(wanted)]);
      if (rows.length === 0) {
        this.#broken(grown[0]!.tenant_id, 'the head is ahead of the records');
        return heads;
      }
      for (const [at, row] of rows.entries()) {
        if (at % 250 === 249) await turn();
        this.#take(row);
      }
    }
  }

  /** Reads new records, and compares heads, counts, checkpoints and signed trees with the records. */
  async compare(query: Query, signed: readonly SignedTree[]): Promise<void> {
    for (const head of await this.read(query)) this.#compareHead(head);
    await this.#compareCounts(query);
    const deadLetters = await query<{ reason: string; message: string; count: string }>(
      'select reason, message, count(*)::text as count from audit_dead_letters group by 1, 2',
    );
    for (const { reason, message, count } of deadLetters) {
      this.problems.push(`${count} dead letters: ${reason} ${message}`);
    }
    const checkpoints = await query<{ tenant_id: string; epoch: number; size: string; root: string }>(
      "select tenant_id, epoch, size::text as size, encode(root, 'hex') as root from audit_checkpoints",
    );
    for (const { tenant_id, size, root } of checkpoints)
      this.#compareRoot(tenant_id, Number(size), root, 'a checkpoint');
    for (const { origin, size, root } of signed) {
      this.#compareRoot(parseOrigin(origin).tenantId, size, root, "the checkpoint in the signer's store");
    }
  }

  #take(row: RecordRow): void {
    const chain = this.#chain(row.tenant_id);
    const { hash, record, findings } = chain.verifier.check({
      text: row.record,
      hashHex: row.hash,
      sequenceNumber: Number(row.sequence),
    });
    for (const { code, sequence_number, expected, found } of findings) {
      if (code === 'SEQUENCE_GAP') this.gaps++;
      if (code === 'SEQUENCE_DUPLICATE') this.duplicates++;
      this.#broken(row.tenant_id, `${code} at ${sequence_number}: expected ${expected}, found ${found}`);
    }
    chain.tree.append(leafHash(hash));
    chain.roots.push(toHex(chain.tree.root()));
    if (record === undefined) return;
    const { event, ingest } = record;
    if (event.audit_id !== row.audit_id)
      this.#broken(row.tenant_id, `column audit_id differs at ${row.sequence}`);
    if (event.event_type === 'system.genesis') {
      if (row.sequence !== '0') this.extraGeneses++;
      return;
    }
    // What the service says of the producers' accounts, such as their last numbers.
    if (event.event_type === 'audit.accounts_changed' && ingest.trust === 'service') return;
    const id = row.audit_id;
    if (this.#traffic.sent.get(id) !== row.tenant_id || event.actor_id !== actorOf(id)) {
      this.#broken(
        row.tenant_id,
        `no producer sent the record at ${row.sequence}: ${row.record.slice(0, 500)}`,
      );
      return;
    }
    if (chain.ids.has(id)) {
      this.duplicates++;
      this.#broken(row.tenant_id, `event ${id} is stored again at ${row.sequence}`);
      return;
    }
    chain.ids.add(id);
    this.#stored++;
    this.#awaited.delete(id);
    this.#checkOrder(row, chain, ingest.source);
  }

  /** The messages of a partition must be chained in its order, whichever replicas read them and how often. */
  #checkOrder(row: RecordRow, chain: Chain, source: string): void {
    const slash = source.lastIndexOf('/');
    const partition = source.slice(0, slash);
    const offset = Number(source.slice(slash + 1));
    if (!(offset > (chain.offsets.get(partition) ?? -1))) {
      this.#broken(
        row.tenant_id,
        `${source} at ${row.sequence} is chained after ${chain.offsets.get(partition)}`,
      );
    }
    chain.offsets.set(partition, offset);
  }

  #compareHead(head: HeadRow): void {
    const { verifier, tree } = this.#chain(head.tenant_id);
    const report = (what: string) => this.#broken(head.tenant_id, what);
    if (head.epoch !== 1) report(`is in epoch ${head.epoch}`);
    if (Number(head.sequence) !== verifier.nextSequence - 1) {
      report(`the head is at ${head.sequence}, the records end at ${verifier.nextSequence - 1}`);
      return;
    }
    // A tenant whose first events were all refused has a row, and no genesis record yet.
    if (head.sequence === '-1') return;
    if (head.hash !== verifier.headHash) report("the head's hash differs from the last record's");
    if (head.frontier !== tree.snapshot().roots.map(toHex).join(''))
      report('the tree of the head differs from the tree of the records');
  }

  async #compareCounts(query: Query): Promise<void> {
    const rows = await query<{ tenant_id: string; records: string; geneses: string }>(
      `select tenant_id, count(*)::text as records, count(*) filter (where event_type = 'system.genesis')::text as geneses
         from audit_records group by tenant_id`,
    );
    for (const { tenant_id, records, geneses } of rows) {
      const expected = this.#chain(tenant_id).verifier.nextSequence;
      if (geneses !== '1') {
        this.extraGeneses += Math.max(0, Number(geneses) - 1);
        this.#broken(tenant_id, `${geneses} genesis records`);
      }
      if (Number(records) === expected) continue;
      if (Number(records) > expected) this.duplicates += Number(records) - expected;
      this.#broken(tenant_id, `${records} records where the chain has ${expected}`);
    }
  }

  #compareRoot(tenantId: string, size: number, root: string, whose: string): void {
    const expected = this.#chain(tenantId).roots[size - 1];
    if (expected === root) return;
    const why =
      expected === undefined ? 'covers more records than exist' : 'differs from the tree of the records';
    this.#broken(tenantId, `${whose} of size ${size} ${why}`);
  }

  #chain(tenantId: string): Chain {
    let chain = this.#chains.get(tenantId);
    if (chain === undefined) {
      const origin = formatOrigin({ logName: this.#logName, tenantId, epoch: 1 });
      chain = {
        verifier: new ChainVerifier({ tenantId, origin }),
        tree: new FrontierBuilder(),
        roots: [],
        ids: new Set(),
        offsets: new Map(),
        broken: false,
      };
      this.#chains.set(tenantId, chain);
    }
    return chain;
  }

  #broken(tenantId: string, what: string): void {
    this.#chain(tenantId).broken = true;
    this.problems.push(`${tenantId}: ${what}`);
  }
}
