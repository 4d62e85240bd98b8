import {
  type Checkpoint,
  formatOrigin,
  LogError,
  leafHash,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  proveConsistency,
  proveInclusion,
  type TileId,
  tileWidthAt,
  verifyConsistency,
  verifyInclusion,
} from '@tallystick/log';
import { ServerError } from '../errors.ts';
import { type Database, type Session, writer } from '../store/database.ts';
import { type Head, inconsistent, type Signer } from './signer.ts';
import { type SignedHead, SignerLocked } from './signer-store.ts';
import { type LogHead, nodeReader, readHead, readTile, rootOf } from './tree-reader.ts';

/** A signed checkpoint with what it says. */
export interface SignedCheckpoint extends Checkpoint {
  readonly epoch: number;
  /** The signed note, verbatim. */
  readonly note: string;
}

/** How long a look into the signer's store serves, ms: it costs a disk's file lock, a batch has many tenants. */
const lookUpMs = 10_000;
/** How long the signer's store is left alone once it was found locked, ms: each look holds up everything else. */
const lockedMs = 2_000;

/** Checkpoints, proofs and tiles of every tenant's log. */
export class TenantLogs {
  readonly #database: Database;
  readonly #signer: Signer;
  /** Tenants whose chain contradicts what was signed, with the reason. Owned by this object; read by the writer. */
  readonly #stopped = new Map<string, string>();
  /**
   * What was signed, by origin, as it was when this process looked last (ms, monotonic). Signed sizes only grow, so an old
   * one asks too little of a head, never too much. Owned by this object.
   */
  readonly #lookedUp = new Map<string, { readonly signed: SignedHead | undefined; readonly at: number }>();
  /** When the signer's store was last found locked, ms (monotonic). */
  #lockedAt = Number.NEGATIVE_INFINITY;

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
    for (const [tenantId, signed] of await this.#signer.store.patiently(() => this.#signedHeads())) {
      const reason = await this.#contradictionOf(tenantId, signed);
      if (reason !== undefined) this.#stopped.set(tenantId, reason);
    }
    return this.#stopped;
  }

  /** Looks at the stopped chains again: one that was recovered, here or by another process, goes on. */
  async reviewStopped(): Promise<void> {
    if (this.#stopped.size === 0) return;
    const signed = await this.#signer.store.patiently(() => this.#signedHeads());
    for (const tenantId of [...this.#stopped.keys()]) {
      const reason = await this.#contradictionOf(tenantId, signed.get(tenantId) ?? []);
      if (reason === undefined) this.#stopped.delete(tenantId);
    }
  }

  /**
   * Stops a chain whose locked head is not as far as what was signed for it: the store was set back while the service ran,
   * by a restore or by a standby that had not received all.
   *
   * @param session that locked the head. A process that froze since then may have lost it, and the head that it knows is
   *   old while others have gone on and signed: so the session is asked before a chain is stopped
   * @throws {ServerError} `CHAIN_STOPPED`; whatever the session rejects with where it has ended
   */
  async assertCurrent(
    session: Session,
    head: { readonly tenantId: string; readonly epoch: number; readonly lastSequence: number },
  ): Promise<void> {
    const reason = this.#setBack(head);
    if (reason === undefined) return;
    // What was signed had been committed before. With the lock held now, and so also when it was looked up, an honest
    // head can't be behind it.
    await session.query('select 1');
    this.#stopped.set(head.tenantId, reason);
    this.assertRunning(head.tenantId);
  }

  /**
   * What `ask` finds, or what is known while another process holds the signer's store: one that is frozen must not keep
   * every replica from chaining. It is asked again later, and before anything more is signed.
   */
  #unlessLocked<T>(ask: () => T, known: T): T {
    if (performance.now() - this.#lockedAt < lockedMs) return known;
    try {
      return ask();
    } catch (error) {
      if (!(error instanceof SignerLocked)) throw error;
      this.#lockedAt = performance.now();
      return known;
    }
  }

  #setBack(head: {
    readonly tenantId: string;
    readonly epoch: number;
    readonly lastSequence: number;
  }): string | undefined {
    const { tenantId, epoch, lastSequence } = head;
    const signed = this.#lookUp(this.origin(head));
    if (signed !== undefined) {
      return signed.size > lastSequence + 1 ? missing(signed, lastSequence + 1) : undefined;
    }
    if (epoch === 1) return undefined;
    return this.#unlessLocked(() => this.#unopened(head, this.#signedHeads().get(tenantId) ?? []), undefined);
  }

  #lookUp(origin: string): SignedHead | undefined {
    const now = performance.now();
    const known = this.#lookedUp.get(origin);
    if (known !== undefined && now - known.at < lookUpMs) return known.signed;
    return this.#unlessLocked(() => {
      const signed = this.#signer.store.head(origin);
      this.#lookedUp.set(origin, { signed, at: now });
      return signed;
    }, known?.signed);
  }

  /** What was signed for each tenant, the newest epoch first. */
  #signedHeads(): Map<string, SignedHead[]> {
    const epochOf = ({ origin }: SignedHead) => parseOrigin(origin).epoch;
    const heads = this.#signer.store.heads().sort((a, b) => epochOf(b) - epochOf(a));
    return Map.groupBy(heads, ({ origin }) => parseOrigin(origin).tenantId);
  }

  async #contradictionOf(tenantId: string, known: readonly SignedHead[]): Promise<string | undefined> {
    return await this.#database.transaction(writer, async (session) => {
      try {
        const head = await readHead(session, tenantId);
        for (const signed of known) {
          const reason = await this.#contradicts(session, head, signed);
          if (reason !== undefined) return reason;
        }
        return head === undefined ? undefined : this.#unopened(head, known);
      } catch (error) {
        // One tenant's damage must not keep the service from all others.
        if (error instanceof LogError) return 'the head of the chain is damaged';
        throw error;
      }
    });
  }

  async #contradicts(
    session: Session,
    head: LogHead | undefined,
    signed: SignedHead,
  ): Promise<string | undefined> {
    const { epoch } = parseOrigin(signed.origin);
    if (head === undefined) return missing(signed, 'none');
    if (head.epoch > epoch) return undefined;
    if (head.epoch < epoch) return `epoch ${epoch} was signed, the store has epoch ${head.epoch}`;
    return await contradiction(session, head, signed);
  }

  /** Why a store must not show this epoch: raising its number would hide a rewritten chain from all that was signed. */
  #unopened(
    head: { readonly tenantId: string; readonly epoch: number },
    known: readonly SignedHead[],
  ): string | undefined {
    // A signer that has never heard of the tenant can't tell.
    if (known.length === 0) return undefined;
    const origin = this.origin(head);
    const begun = known.some((signed) => signed.origin === origin) || this.#signer.store.isOpened(origin);
    return begun ? undefined : `the store has epoch ${head.epoch}, which was never opened`;
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
    const signedBefore = await this.#signer.store.patiently(() => this.#signer.store.head(origin));
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
    this.#lookedUp.delete(origin);
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

  /**
   * Signs every log that has grown since its last checkpoint. One tenant's trouble does not keep the others back.
   *
   * @param signal ends the round before the next log
   * @throws {ServerError} `STORE_UNAVAILABLE`: asking again for each tenant would only take long
   */
  async checkpointAll(
    onError: (tenantId: string, error: unknown) => void,
    signal?: AbortSignal,
  ): Promise<number> {
    const rows = await this.#database.query<{ tenant_id: string }>(
      writer,
      `select s.tenant_id from audit_chain_state s
        where s.last_sequence >= 0
          and not exists (select 1 from audit_checkpoints c
                           where c.tenant_id = s.tenant_id and c.epoch = s.epoch and c.size = s.last_sequence + 1)`,
    );
    let signed = 0;
    for (const { tenant_id } of rows) {
      if (signal?.aborted) break;
      try {
        await this.checkpoint(tenant_id);
        signed++;
      } catch (error) {
        if (error instanceof ServerError && error.code === 'STORE_UNAVAILABLE') throw error;
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

  /**
   * The inclusion proof of a record in an epoch that was given up, by the newest of its checkpoints that the store still
   * bears out; `undefined` where there is none: what was signed for it later went with the records that were lost.
   */
  async earlierProof(
    log: { readonly tenantId: string; readonly epoch: number },
    index: number,
    recordHash: Uint8Array,
  ): Promise<{ readonly note: string; readonly inclusion: readonly Uint8Array[] } | undefined> {
    return await this.#database.transaction(writer, async (session) => {
      const rows = await session.query<{ size: number; root: Uint8Array; note: string }>(
        `select size, root, note from audit_checkpoints
          where tenant_id = $1 and epoch = $2 and size > $3 order by size desc limit 10`,
        [log.tenantId, log.epoch, index],
      );
      for (const { size, root, note } of rows) {
        try {
          const inclusion = await proveInclusion(index, size, nodeReader(session, log, size));
          verifyInclusion(index, size, leafHash(recordHash), inclusion, new Uint8Array(root));
          return { note, inclusion };
        } catch (error) {
          if (!(error instanceof LogError)) throw error;
        }
      }
      return undefined;
    });
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

function missing(signed: SignedHead, stored: number | 'none'): string {
  return `${signed.size} records were signed, the store has ${stored}`;
}

/** Why the store can't be what was signed, or `undefined` where it is that or an extension of it. */
async function contradiction(
  session: Session,
  log: LogHead,
  signed: SignedHead,
): Promise<string | undefined> {
  const { size } = log.frontier;
  if (size < signed.size) return missing(signed, size);
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
