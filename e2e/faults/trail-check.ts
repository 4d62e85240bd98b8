import { setImmediate as turn } from 'node:timers/promises';
import { ChainVerifier, FrontierBuilder, formatOrigin, leafHash, parseOrigin, toHex } from '@tallystick/log';
import { actorOf } from './publisher.ts';
import type { Traffic } from './traffic.ts';

/** Runs SQL on the store under test; all of one check in one snapshot. */
export type Query = <R extends object>(sql: string, parameters?: unknown[]) => Promise<R[]>;

/** A head as the signer remembers it, outside the store. */
export interface SignedHead {
  readonly origin: string;
  readonly size: number;
  /** Hex. */
  readonly root: string;
}

interface Chain {
  readonly verifier: ChainVerifier;
  readonly tree: FrontierBuilder;
  /** Root of the tree of each size, hex; what was signed is looked up here. */
  readonly roots: string[];
  readonly ids: Set<string>;
  /** Offset of the last message that was chained, by its topic and partition. */
  readonly offsets: Map<string, number>;
  broken: boolean;
}

/** Records of one read of the store, so that a long trail does not lie in memory as a whole. */
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
 * The store held against what was acknowledged. It reads each record once, from where the last look ended, and keeps
 * what the next look is to be compared with.
 */
export class TrailCheck {
  /** What is wrong, in words. Empty, or the campaign has failed. */
  readonly problems: string[] = [];
  duplicates = 0;
  gaps = 0;
  extraGeneses = 0;
  readonly #logName: string;
  readonly #traffic: Traffic;
  readonly #chains = new Map<string, Chain>();
  /** Acknowledged and not seen in the store yet. */
  readonly #awaited = new Map<string, string>();
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

  /** Chains with something wrong in them. */
  get unverified(): number {
    return [...this.#chains.values()].filter((chain) => chain.broken).length;
  }

  /** Of the first `count` acknowledged events those that the last look did not find. */
  missing(count: number): string[] {
    for (; this.#taken < count; this.#taken++) {
      const { id, tenantId } = this.#traffic.acknowledged[this.#taken]!;
      if (!this.#chains.get(tenantId)?.ids.has(id)) this.#awaited.set(id, tenantId);
    }
    return [...this.#awaited.keys()];
  }

  /** Reads what is new. */
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
        this.#broken(grown[0]!.tenant_id, 'the head names records that are not there');
        return heads;
      }
      for (const [at, row] of rows.entries()) {
        if (at % 250 === 249) await turn();
        this.#take(row);
      }
    }
  }

  /** Reads what is new and compares heads, counts and what was signed with the records. */
  async compare(query: Query, signed: readonly SignedHead[]): Promise<void> {
    for (const head of await this.read(query)) this.#compareHead(head);
    await this.#compareCounts(query);
    const letters = await query<{ reason: string; message: string; letters: string }>(
      'select reason, message, count(*)::text as letters from audit_dead_letters group by 1, 2',
    );
    for (const { reason, message, letters: count } of letters) {
      this.problems.push(`${count} dead letters: ${reason} ${message}`);
    }
    const checkpoints = await query<{ tenant_id: string; epoch: number; size: string; root: string }>(
      "select tenant_id, epoch, size::text as size, encode(root, 'hex') as root from audit_checkpoints",
    );
    for (const { tenant_id, size, root } of checkpoints)
      this.#compareRoot(tenant_id, Number(size), root, 'a checkpoint');
    for (const { origin, size, root } of signed) {
      this.#compareRoot(parseOrigin(origin).tenantId, size, root, "the signer's head");
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
    const id = row.audit_id;
    if (this.#traffic.sent.get(id) !== row.tenant_id || event.actor_id !== actorOf(id)) {
      this.#broken(row.tenant_id, `a record nobody sent, at ${row.sequence}: ${row.record.slice(0, 500)}`);
      return;
    }
    if (chain.ids.has(id)) {
      this.duplicates++;
      this.#broken(row.tenant_id, `event ${id} is there twice, again at ${row.sequence}`);
      return;
    }
    chain.ids.add(id);
    this.#stored++;
    this.#awaited.delete(id);
    this.#checkOrder(row, chain, ingest.source);
  }

  /** A partition's messages are chained in its order, whoever reads it and however often. */
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
    const say = (what: string) => this.#broken(head.tenant_id, what);
    if (head.epoch !== 1) say(`is in epoch ${head.epoch}`);
    if (Number(head.sequence) !== verifier.nextSequence - 1) {
      say(`the head stands at ${head.sequence}, the records end at ${verifier.nextSequence - 1}`);
      return;
    }
    // A row is made for a tenant before its genesis, where everything that came with it was refused.
    if (head.sequence === '-1') return;
    if (head.hash !== verifier.headHash) say("the head's hash is not the last record's");
    if (head.frontier !== tree.snapshot().roots.map(toHex).join(''))
      say("the head's tree is not the records'");
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
    const why = expected === undefined ? 'covers more than there is' : 'is not the tree of the records';
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
