import { randomFillSync } from 'node:crypto';
import {
  createGenesisRecord,
  encodeFrontier,
  FrontierBuilder,
  formatOrigin,
  indexedColumns,
  leafHash,
  type SealedRecord,
  sealRecord,
  tileWidth,
  toHex,
} from '@tallystick/log';
import type { Receipt } from '@tallystick/protocol';
import { type CopyRow, renderRow } from '../store/copy-rows.ts';
import type { EventItem } from './batch.ts';
import type { AdvancedHead, Head } from './head.ts';

/** A tile that the batch completed. The hashes of a tile above level 0 are the roots of the tiles below it. */
export interface CompletedTile {
  readonly tenantId: string;
  readonly epoch: number;
  readonly level: number;
  readonly index: number;
  readonly root: Uint8Array;
  /** The leaf hashes that belong to this batch, hex. The store adds the older ones. Empty above level 0. */
  readonly leaves: string;
}

/** Characters of COPY text per chunk: large enough to save system calls, small enough to overlap with the database. */
const chunkLength = 64 * 1024;

/**
 * Seals the events of one batch into records: sequence numbers, hashes, tree, COPY rows. Use an object once.
 *
 * `rows()` computes the records step by step, while the database stores the ones before. Receipts, tiles and heads are
 * complete when `rows()` has ended.
 */
export class BatchSealer {
  /** One for each event, in order. */
  readonly receipts: Receipt[] = [];
  readonly tiles: CompletedTile[] = [];
  readonly #items: readonly EventItem[];
  readonly #chains: Map<string, ChainSealer>;
  readonly #ingestedAt: string;

  constructor(items: readonly EventItem[], heads: Map<string, Head>, ingestedAt: string, logName: string) {
    this.#items = items;
    this.#ingestedAt = ingestedAt;
    this.#chains = new Map();
    const begin = (head: Head) => {
      if (this.#chains.has(head.tenantId)) return;
      this.#chains.set(head.tenantId, new ChainSealer(head, logName, ingestedAt, this.tiles));
    };
    // A chain that begins again gets its genesis record even if the batch has no event for it.
    for (const head of heads.values()) if (head.opening !== undefined) begin(head);
    for (const item of items) begin(heads.get(item.event.tenant_id)!);
  }

  /** COPY text of all records, including genesis records, in chunks. */
  *rows(): Generator<string> {
    let chunk = '';
    for (const chain of this.#chains.values()) {
      const genesis = chain.genesis();
      if (genesis !== undefined) chunk += renderRow(genesis);
    }
    for (const item of this.#items) {
      const chain = this.#chains.get(item.event.tenant_id)!;
      const row = chain.seal(item);
      this.receipts.push({
        audit_id: item.event.audit_id,
        tenant_id: row.tenantId,
        epoch: row.epoch,
        sequence_number: row.sequenceNumber,
        record_hash: row.sealed.hashHex,
        ingested_at: this.#ingestedAt,
      });
      chunk += renderRow(row);
      if (chunk.length >= chunkLength) {
        yield chunk;
        chunk = '';
      }
    }
    if (chunk !== '') yield chunk;
  }

  /** The heads after the batch. Call it when `rows()` has ended. */
  heads(): AdvancedHead[] {
    return [...this.#chains.values()].map((chain) => chain.head());
  }
}

/** Seals the records of one chain. */
class ChainSealer {
  readonly #head: Head;
  readonly #logName: string;
  readonly #ingestedAt: string;
  readonly #tiles: CompletedTile[];
  readonly #frontier: FrontierBuilder;
  #sequence: number;
  #hash: string;
  /** Leaf hashes of this batch in the tile that is not complete yet, hex. */
  #leaves = '';

  constructor(head: Head, logName: string, ingestedAt: string, tiles: CompletedTile[]) {
    this.#head = head;
    this.#logName = logName;
    this.#ingestedAt = ingestedAt;
    this.#tiles = tiles;
    this.#frontier = new FrontierBuilder(head.frontier);
    this.#sequence = head.lastSequence;
    this.#hash = head.lastHash;
  }

  genesis(): CopyRow | undefined {
    if (this.#sequence >= 0) return undefined;
    const { tenantId, epoch, opening } = this.#head;
    const sealed = createGenesisRecord({
      tenantId,
      epoch,
      origin: formatOrigin({ logName: this.#logName, tenantId, epoch }),
      ...(opening !== undefined && { recovery: opening.recovery }),
      ...(opening?.auditId !== undefined && { auditId: opening.auditId }),
      ingestedAt: this.#ingestedAt,
      nonce: newNonce(),
    });
    return this.#append(sealed, sealed.event);
  }

  seal(item: EventItem): CopyRow {
    const sealed = sealRecord({
      canonicalEvent: item.canonical,
      ingest: { ...item.ingest, nonce: newNonce() },
      ingestedAt: this.#ingestedAt,
      previousHash: this.#hash,
      sequenceNumber: this.#sequence + 1,
      tenantId: this.#head.tenantId,
    });
    return this.#append(sealed, item.event);
  }

  #append(sealed: SealedRecord, event: { readonly [field: string]: unknown }): CopyRow {
    const { tenantId, epoch } = this.#head;
    const previousHash = this.#hash;
    const leaf = leafHash(sealed.hash);
    this.#leaves += toHex(leaf);
    this.#frontier.append(leaf, (level, root) => {
      const index = this.#tileIndex(level);
      this.#tiles.push({ tenantId, epoch, level, index, root, leaves: level === 0 ? this.#leaves : '' });
      if (level === 0) this.#leaves = '';
    });
    this.#sequence++;
    this.#hash = sealed.hashHex;
    return {
      tenantId,
      epoch,
      sequenceNumber: this.#sequence,
      ingestedAt: this.#ingestedAt,
      columns: indexedColumns(event),
      previousHash,
      sealed,
    };
  }

  /** Index of the tile that the current leaf completes on a level. */
  #tileIndex(level: number): number {
    return Math.floor((this.#sequence + 1) / tileWidth ** (level + 1));
  }

  head(): AdvancedHead {
    return {
      tenantId: this.#head.tenantId,
      epoch: this.#head.epoch,
      lastSequence: this.#sequence,
      lastHash: this.#hash,
      frontier: toHex(encodeFrontier(this.#frontier.snapshot())),
    };
  }
}

/** Random bytes, drawn in blocks because a call per nonce is slower. Owned by this module; one thread seals. */
const pool = Buffer.alloc(16 * 512);
let poolAt = pool.length;

/** 128 random bits, hex. */
function newNonce(): string {
  if (poolAt === pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  poolAt += 16;
  return pool.toString('hex', poolAt - 16, poolAt);
}
