import { termBlockRecords } from '@tallystick/event';
import { BlockQueue, withinBlock } from './block-queue.ts';
import { rowsInRange } from './rows-in-range.ts';
import { beginsInTime, endOf, type Part, type Scan } from './scan.ts';
import type { Range } from './scan-request.ts';

/** Records that the first step of a walk covers, and most that one step covers. */
export const walkedAtFirst = 512;
const walkedAtMost = 8_192;

/** Reads the records of a chain one after the other, in steps that grow. Owned by the request. */
export class ChainWalk {
  readonly #scan: Scan;
  /** The blocks with an event in time; undefined where all blocks are read. */
  readonly #blocksInTime: BlockQueue | undefined;
  /** Most records that the next step covers. */
  #walked: number;

  /** @param asksIndex whether the indexes of terms are asked first: then only what they do not have yet is read here, and all of it */
  constructor(scan: Scan, asksIndex: boolean) {
    this.#scan = scan;
    const { session, tenantId, request, budget } = scan;
    if (!asksIndex && !beginsInTime(request)) {
      this.#blocksInTime = new BlockQueue(session, tenantId, request, [], budget);
    }
    this.#walked = Math.max(walkedAtFirst, request.limit + 1);
  }

  /** @param wanted most rows */
  async next(range: Range, wanted: number): Promise<Part> {
    if (this.#blocksInTime === undefined) return await this.#step(range, wanted);
    // The blocks before the next one that has an event in time are left out.
    const { blocks, range: upTo } = await this.#blocksInTime.next(range, 1);
    if (blocks.length === 0) return { rows: [], end: endOf(upTo, this.#scan.request) };
    this.#walked = Math.max(this.#walked, termBlockRecords);
    return await this.#step(withinBlock(blocks[0]!, upTo), wanted);
  }

  async #step({ low, high }: Range, wanted: number): Promise<Part> {
    const { request, budget } = this.#scan;
    const newestFirst = request.order === 'desc';
    const most = Math.min(this.#walked, budget.rows);
    const range = newestFirst
      ? { low: Math.max(low, high - most + 1), high }
      : { low, high: Math.min(high, low + most - 1) };
    const { rows, isWhole } = await rowsInRange(this.#scan, range, wanted);
    const end = isWhole ? endOf(range, request) : rows.at(-1)!.sequence_number;
    budget.rows -= 1 + Math.abs(end - (newestFirst ? high : low));
    this.#walked = Math.min(walkedAtMost, this.#walked * 4);
    return { rows, end };
  }
}
