import { decodeFrontier, emptyFrontier, fromHex, tileWidth, toHex, zeroHash } from '@tallystick/log';
import type { EventItem } from '../../packages/server/src/chain/batch.ts';
import type { AdvancedHead, Head } from '../../packages/server/src/chain/head.ts';
import { BatchSealer } from '../../packages/server/src/chain/seal.ts';
import { benchTenant, type MadeEvent } from './made-events.ts';

/** Records of one batch: a tile of the tree is full with each. */
export const batchRecords = tileWidth;

const logName = 'bench.local';
const ingest = { source: 'http', trust: 'api-key', principal: 'key:0123456789ab' } as const;

/** Seals the records of one chain as the writer does, batch by batch, and renders the rows of its tables for COPY. */
export class ChainRows {
  #head: Head = {
    tenantId: benchTenant,
    epoch: 1,
    lastSequence: -1,
    lastHash: zeroHash,
    lastIngestedAt: 0,
    frontier: emptyFrontier,
  };
  #advanced: AdvancedHead | undefined;
  #chainedAt = '';
  /** Roots of the full tiles of each level that have no tile above them yet, hex. */
  readonly #roots: string[][] = [];

  /** The next record's sequence number. */
  get size(): number {
    return this.#head.lastSequence + 1;
  }

  /** @param events as many as fill the tile that the chain has begun, or fewer */
  seal(
    events: readonly MadeEvent[],
    chainedAt: number,
  ): { readonly records: string; readonly tiles: string } {
    this.#chainedAt = new Date(chainedAt).toISOString();
    const heads = new Map([[benchTenant, this.#head]]);
    const items = events.map((made) => ({ ...made, ingest }) as unknown as EventItem);
    const sealer = new BatchSealer(items, heads, this.#chainedAt, logName);
    const records = [...sealer.rows()].join('');
    const tiles = sealer.tiles
      .map(({ level, index, root, leaves }) => {
        const hashes = level === 0 ? leaves : this.#roots[level - 1]!.splice(0).join('');
        this.#roots[level] ??= [];
        this.#roots[level].push(toHex(root));
        return `${benchTenant}\t1\t${level}\t${index}\t\\\\x${toHex(root)}\t\\\\x${hashes}\n`;
      })
      .join('');
    [this.#advanced] = sealer.heads();
    const { lastSequence, frontier } = this.#advanced!;
    this.#head = {
      ...this.#head,
      ...this.#advanced!,
      frontier: decodeFrontier(lastSequence + 1, fromHex(frontier)!),
    };
    return { records, tiles };
  }

  /** The row of `audit_chain_state`. */
  get headRow(): string {
    const { lastSequence, lastHash, frontier } = this.#advanced!;
    return `${benchTenant}\t1\t${lastSequence}\t\\\\x${lastHash}\t${this.#chainedAt}\t\\\\x${frontier}\n`;
  }

  get lastHash(): string {
    return this.#head.lastHash;
  }
}
