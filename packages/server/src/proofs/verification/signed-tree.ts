import {
  equalBytes,
  FrontierBuilder,
  LogError,
  type Node,
  proveConsistency,
  verifyConsistency,
} from '@tallystick/log';
import type { Database } from '../../store/database.ts';
import { readerOf } from '../../trail/trail.ts';
import type { SignedHead } from '../signer-store.ts';
import { nodeReader, readHead } from '../tree-reader.ts';

/**
 * Holds a range of records against the signed root. What lies before the range and behind it comes from the stored
 * tiles, which need no trust: together with the range's own leaves they must give the root that was signed.
 */
export class SignedTree {
  readonly #database: Database;
  readonly #tenantId: string;
  readonly #signed: SignedHead;
  readonly #builder: FrontierBuilder;
  /** Whether the root over the first `#signed.size` leaves was the signed one; unknown before it was reached. */
  #matches: boolean | undefined;

  private constructor(database: Database, tenantId: string, signed: SignedHead, builder: FrontierBuilder) {
    this.#database = database;
    this.#tenantId = tenantId;
    this.#signed = signed;
    this.#builder = builder;
  }

  /** The tree up to `from`, or `undefined` where the store no longer holds what that takes. */
  static async startAt(
    database: Database,
    tenantId: string,
    signed: SignedHead,
    from: number,
  ): Promise<SignedTree | undefined> {
    const nodes: Node[] = [];
    for (let at = 0, rest = from; rest > 0; ) {
      const height = Math.floor(Math.log2(rest));
      nodes.push({ height, index: at / 2 ** height });
      at += 2 ** height;
      rest -= 2 ** height;
    }
    const roots = await readNodes(database, tenantId, from, nodes);
    return roots === undefined
      ? undefined
      : new SignedTree(database, tenantId, signed, new FrontierBuilder({ size: from, roots }));
  }

  append(leaf: Uint8Array): void {
    this.#builder.append(leaf);
    if (this.#builder.size === this.#signed.size) {
      this.#matches = equalBytes(this.#builder.root(), this.#signed.root);
    }
  }

  /** Call it after the last leaf of the range. */
  async matchesSigned(): Promise<boolean> {
    if (this.#matches !== undefined) return this.#matches;
    const { size, root } = this.#signed;
    const from = this.#builder.size;
    try {
      const proof = await this.#database.transaction(readerOf(this.#tenantId), async (session) => {
        const head = await readHead(session, this.#tenantId);
        if (head === undefined || head.frontier.size < size) return undefined;
        return await proveConsistency(from, size, nodeReader(session, head, size));
      });
      if (proof === undefined) return false;
      verifyConsistency(from, size, proof, this.#builder.root(), root);
      return true;
    } catch (error) {
      if (error instanceof LogError) return false;
      throw error;
    }
  }
}

async function readNodes(
  database: Database,
  tenantId: string,
  size: number,
  nodes: readonly Node[],
): Promise<readonly Uint8Array[] | undefined> {
  if (nodes.length === 0) return [];
  try {
    return await database.transaction(readerOf(tenantId), async (session) => {
      const head = await readHead(session, tenantId);
      return head === undefined ? undefined : await nodeReader(session, head, size)(nodes);
    });
  } catch (error) {
    // A tile is missing or short.
    if (error instanceof LogError) return undefined;
    throw error;
  }
}
