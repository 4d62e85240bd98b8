import {
  type Checkpoint,
  formatOrigin,
  LogError,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  proveConsistency,
  proveInclusion,
  type TileId,
  tileWidthAt,
  verifyConsistency,
} from '@tallystick/log';
import { ServerError } from '../errors.ts';
import { type Database, type Session, writer } from '../store/database.ts';
import { type Head, inconsistent, type Signer } from './signer.ts';
import type { SignedHead } from './signer-store.ts';
import { type LogHead, nodeReader, readHead, readTile, rootOf } from './tree-reader.ts';

/** A signed checkpoint with what it says. */
export interface SignedCheckpoint extends Checkpoint {
  readonly epoch: number;
  /** The signed note, verbatim. */
  readonly note: string;
}

/** Checkpoints, proofs and tiles of every tenant's log. */
export class TenantLogs {
  readonly #database: Database;
  readonly #signer: Signer;
  /** Tenants whose chain contradicts what was signed, with the reason. Owned by this object; read by the writer. */
  readonly #stopped = new Map<string, string>();

  constructor(database: Database, signer: Signer) {
    this.#database = database;
    this.#signer = signer;
  }

  get logName(): string {
    return this.#signer.logName;
  }

  /** Tenants whose chains are stopped, with the reason. */
  get stopped(): ReadonlyMap<string, string> {
    return this.#stopped;
  }

  /**
   * @throws {ServerError} `CHAIN_STOPPED`
   */
  assertRunning(tenantId: string): void {
    const reason = this.#stopped.get(tenantId);
    if (reason !== undefined) {
      throw new ServerError('CHAIN_STOPPED', `the chain of ${tenantId} is stopped: ${reason}`, {
        details: { tenant_id: tenantId },
      });
    }
  }

  /**
   * Holds every head that was ever signed against the store. A store that is shorter, or differs in what was signed,
   * was restored from a backup or tampered with: extending it would fork the log, so those chains stop.
   *
   * @returns the stopped tenants
   */
  async compareWithSigner(): Promise<ReadonlyMap<string, string>> {
    for (const signed of this.#signer.store.heads()) {
      const { tenantId, epoch } = parseOrigin(signed.origin);
      const reason = await this.#database.transaction(writer, async (session) => {
        try {
          const head = await readHead(session, tenantId);
          if (head === undefined) return `${signed.size} records were signed, the store has none`;
          if (head.epoch > epoch) return undefined;
          return await contradiction(session, head, signed);
        } catch (error) {
          // One tenant's damage must not keep the service from all others.
          if (error instanceof LogError) return 'the head of the chain is damaged';
          throw error;
        }
      });
      if (reason !== undefined) this.#stopped.set(tenantId, reason);
    }
    return this.#stopped;
  }

  /**
   * Signs the tenant's log as it stands.
   *
   * @throws {ServerError} `NOT_FOUND` for a tenant without a chain; `CHECKPOINT_INCONSISTENT` where the store contradicts
   *   what was signed before: the chain is stopped then
   */
  async checkpoint(tenantId: string): Promise<SignedCheckpoint> {
    this.assertRunning(tenantId);
    for (;;) {
      const signed = await this.#database.transaction(writer, (session) => this.#sign(session, tenantId));
      if (signed !== undefined) return signed;
    }
  }

  async #sign(session: Session, tenantId: string): Promise<SignedCheckpoint | undefined> {
    const origin = this.origin(await this.#head(session, tenantId));
    // Read before the head: whatever was signed had been committed, so a head read after it can only be larger.
    const signedBefore = this.#signer.store.head(origin);
    const log = await this.#head(session, tenantId);
    const head: Head = { origin, size: log.frontier.size, root: rootOf(log) };
    const prove = async (before: SignedHead) => {
      const reason = await contradiction(session, log, before);
      if (reason === undefined) return;
      this.#stopped.set(tenantId, reason);
      throw inconsistent(head, before);
    };
    if (signedBefore !== undefined && signedBefore.size >= head.size) await prove(signedBefore);
    const note = await this.#signer.sign(head, prove);
    if (note === undefined) return undefined;
    await session.query(
      `insert into audit_checkpoints (tenant_id, epoch, size, root, note) values ($1, $2, $3, $4, $5)
       on conflict (tenant_id, epoch, size) do update set note = excluded.note`,
      [tenantId, log.epoch, head.size, Buffer.from(head.root), note],
    );
    return { ...head, epoch: log.epoch, note };
  }

  /** The last checkpoint that was signed for the tenant's current epoch, or `undefined`. */
  async latestCheckpoint(tenantId: string): Promise<SignedCheckpoint | undefined> {
    return await this.#database.transaction(writer, async (session) => {
      const log = await readHead(session, tenantId);
      if (log === undefined) return undefined;
      const [row] = await session.query<{ note: string }>(
        'select note from audit_checkpoints where tenant_id = $1 and epoch = $2 order by size desc limit 1',
        [tenantId, log.epoch],
      );
      return row === undefined
        ? undefined
        : { ...parseCheckpoint(parseNote(row.note).text), epoch: log.epoch, note: row.note };
    });
  }

  /** Signs every log that has grown since its last checkpoint. One tenant's trouble does not keep the others back. */
  async checkpointAll(onError: (tenantId: string, error: unknown) => void): Promise<number> {
    const rows = await this.#database.query<{ tenant_id: string }>(
      writer,
      `select s.tenant_id from audit_chain_state s
        where s.last_sequence >= 0
          and not exists (select 1 from audit_checkpoints c
                           where c.tenant_id = s.tenant_id and c.epoch = s.epoch and c.size = s.last_sequence + 1)`,
    );
    let signed = 0;
    for (const { tenant_id } of rows) {
      try {
        await this.checkpoint(tenant_id);
        signed++;
      } catch (error) {
        onError(tenant_id, error);
      }
    }
    return signed;
  }

  /**
   * The inclusion proof of a record in the tree of `size` leaves.
   *
   * @throws {LogError} `TREE_RANGE`; {ServerError} `NOT_FOUND`, or `PARAMETER_INVALID` for a tree larger than the log
   */
  async inclusionProof(tenantId: string, index: number, size: number): Promise<Uint8Array[]> {
    return await this.#withTree(tenantId, size, (session, log) =>
      proveInclusion(index, size, nodeReader(session, log, size)),
    );
  }

  /** The consistency proof between the trees of `from` and `to` leaves; errors as of {@link inclusionProof}. */
  async consistencyProof(tenantId: string, from: number, to: number): Promise<Uint8Array[]> {
    return await this.#withTree(tenantId, to, (session, log) =>
      proveConsistency(from, to, nodeReader(session, log, to)),
    );
  }

  /** The hashes of a tile as it stands in the current tree. */
  async tile(tenantId: string, tile: TileId, width: number): Promise<Uint8Array> {
    return await this.#database.transaction(writer, async (session) => {
      const log = await this.#head(session, tenantId);
      if (tileWidthAt(tile, log.frontier.size) < width) throw new ServerError('NOT_FOUND', 'no such tile');
      return (await readTile(session, log, tile, log.frontier.size)).subarray(0, width * 32);
    });
  }

  origin(log: { readonly tenantId: string; readonly epoch: number }): string {
    return formatOrigin({ logName: this.logName, tenantId: log.tenantId, epoch: log.epoch });
  }

  /** Verifier keys of the tenant's current log, newest first. */
  async verifierKeys(
    tenantId: string,
  ): Promise<readonly { readonly key: string; readonly retiredAt?: string }[]> {
    const log = await this.#database.transaction(writer, (session) => this.#head(session, tenantId));
    return this.#signer.verifierKeys(this.origin(log));
  }

  async #withTree<T>(
    tenantId: string,
    size: number,
    work: (session: Session, log: LogHead) => Promise<T>,
  ): Promise<T> {
    return await this.#database.transaction(writer, async (session) => {
      const log = await this.#head(session, tenantId);
      if (size > log.frontier.size) {
        throw new ServerError('PARAMETER_INVALID', `the log has ${log.frontier.size} records, not ${size}`);
      }
      return await work(session, log);
    });
  }

  async #head(session: Session, tenantId: string): Promise<LogHead> {
    const head = await readHead(session, tenantId);
    if (head === undefined) throw new ServerError('NOT_FOUND', `tenant ${tenantId} has no records`);
    return head;
  }
}

/** Why the store can't be what was signed, or `undefined` where it is that or an extension of it. */
async function contradiction(
  session: Session,
  log: LogHead,
  signed: SignedHead,
): Promise<string | undefined> {
  const { size } = log.frontier;
  if (size < signed.size) return `${signed.size} records were signed, the store has ${size}`;
  try {
    // The whole way from tiles and records to the head's own root: an altered head is found out too.
    const proof = await proveConsistency(signed.size, size, nodeReader(session, log, size));
    verifyConsistency(signed.size, size, proof, signed.root, rootOf(log));
    return undefined;
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return `the first ${signed.size} records are not those that were signed`;
  }
}
