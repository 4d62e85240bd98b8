import type { Checkpoint } from '@tallystick/log';
import { ServerError } from '../errors.ts';
import { type Database, type Session, writer } from '../store/database.ts';
import { isStrayReason } from '../store/strays.ts';
import { contradictionOf } from './contradiction.ts';
import type { ChainGuard } from './guard.ts';
import { inconsistent, type Signer } from './signer.ts';
import type { LastSigned } from './signer-store.ts';
import { readTree, rootOf, type TenantTree } from './tree-reader.ts';

/** A signed checkpoint with its content. */
export interface SignedCheckpoint extends Checkpoint {
  readonly epoch: number;
  /** The signed note, verbatim. */
  readonly note: string;
}

/** A log, and whether a row for a checkpoint of its present size is stored. */
interface Unsigned {
  readonly tenant_id: string;
  readonly epoch: number;
  readonly size: number;
  readonly is_stored: boolean;
}

const unsignedSql = `
  select s.tenant_id, s.epoch, s.last_sequence + 1 as size,
         exists (select 1 from audit_checkpoints c
                  where c.tenant_id = s.tenant_id and c.epoch = s.epoch and c.size = s.last_sequence + 1) as is_stored
    from audit_chain_state s
   where s.last_sequence >= 0`;

/** Signs checkpoints of tenants' logs, and stores them. */
export class Checkpointer {
  readonly #database: Database;
  readonly #signer: Signer;
  readonly #guard: ChainGuard;

  constructor(database: Database, signer: Signer, guard: ChainGuard) {
    this.#database = database;
    this.#signer = signer;
    this.#guard = guard;
  }

  /**
   * Signs the tenant's log in its present state.
   *
   * @param options.withStrays signs a chain that is stopped only for rows outside of it, which a tree never contains
   * @throws {ServerError} `NOT_FOUND` for a tenant without a chain; `CHAIN_STOPPED`; `CHECKPOINT_INCONSISTENT` where the
   *   store contradicts an earlier checkpoint: the chain is stopped then
   */
  async checkpoint(
    tenantId: string,
    { withStrays = false }: { readonly withStrays?: boolean } = {},
  ): Promise<SignedCheckpoint> {
    if (!(withStrays && isStrayReason(this.#guard.stopped.get(tenantId) ?? '')))
      this.#guard.assertRunning(tenantId);
    for (;;) {
      const signed = await this.#database.transaction(writer, (session) => this.#sign(session, tenantId));
      if (signed !== undefined) return signed;
    }
  }

  /** @returns `undefined` where another replica signed a larger tree meanwhile */
  async #sign(session: Session, tenantId: string): Promise<SignedCheckpoint | undefined> {
    const origin = this.#signer.originOf(await requireTree(session, tenantId));
    // Read before the tree. Records are committed before they are signed, so a tree that is read later is not smaller.
    const signedBefore = await this.#signer.store.patiently(() => this.#signer.store.lastSigned(origin));
    const tree = await requireTree(session, tenantId);
    const checkpoint: Checkpoint = { origin, size: tree.frontier.size, root: rootOf(tree) };
    const proveExtension = async (before: LastSigned) => {
      const reason = await contradictionOf(session, tree, before);
      if (reason === undefined) return;
      this.#guard.stop(tenantId, reason);
      throw inconsistent(checkpoint, before);
    };
    if (signedBefore !== undefined && signedBefore.size >= checkpoint.size)
      await proveExtension(signedBefore);
    const note = await this.#signer.sign(checkpoint, proveExtension);
    this.#guard.noteSigned(origin);
    if (note === undefined) return undefined;
    // A crash before the commit leaves the note with the signer, and the next call stores it here.
    await session.query(
      `insert into audit_checkpoints (tenant_id, epoch, size, root, note) values ($1, $2, $3, $4, $5)
       on conflict (tenant_id, epoch, size) do update set root = excluded.root, note = excluded.note`,
      [tenantId, tree.epoch, checkpoint.size, Buffer.from(checkpoint.root), note],
    );
    return { ...checkpoint, epoch: tree.epoch, note };
  }

  /**
   * The newest checkpoint of the tenant's current epoch, or `undefined`. It is read from the signer's own store: a row of the
   * database may have been planted.
   */
  async latestCheckpoint(tenantId: string): Promise<SignedCheckpoint | undefined> {
    const tree = await this.#database.transaction(writer, (session) => readTree(session, tenantId));
    if (tree === undefined) return undefined;
    const { store } = this.#signer;
    const signed = await store.patiently(() => store.lastSigned(this.#signer.originOf(tree)));
    if (signed?.note === undefined) return undefined;
    return { ...signed, epoch: tree.epoch, note: await this.#signer.noteOf(signed) };
  }

  /**
   * Signs every log that has grown since its last checkpoint. An error of one tenant does not hold the others back.
   *
   * @param signal ends the round before the next log
   * @returns the number of checkpoints that were signed
   * @throws {ServerError} `STORE_UNAVAILABLE`, `STORE_FULL`: every further tenant would only wait for the same store
   */
  async checkpointAll(
    onError: (tenantId: string, error: unknown) => void,
    signal?: AbortSignal,
  ): Promise<number> {
    const rows = await this.#database.query<Unsigned>(writer, unsignedSql);
    // A row of audit_checkpoints may have been planted so that a log is not signed: the signer knows what it signed.
    const known = await this.#signer.store.patiently(() => this.#signer.store.lastSignedByTenant());
    const due = rows.filter(({ tenant_id, epoch, size, is_stored }) => {
      const [newest] = known.get(tenant_id) ?? [];
      return (
        !is_stored ||
        newest?.origin !== this.#signer.originOf({ tenantId: tenant_id, epoch }) ||
        newest.size < size
      );
    });
    let signed = 0;
    for (const { tenant_id } of due) {
      if (signal?.aborted) break;
      try {
        await this.checkpoint(tenant_id);
        signed++;
      } catch (error) {
        if (error instanceof ServerError && ofTheStore.has(error.code)) throw error;
        onError(tenant_id, error);
      }
    }
    return signed;
  }
}

/** Codes of errors that every tenant would get. */
const ofTheStore: ReadonlySet<string> = new Set(['STORE_UNAVAILABLE', 'STORE_FULL']);

/** @throws {ServerError} `NOT_FOUND` for a tenant without a chain */
export async function requireTree(session: Session, tenantId: string): Promise<TenantTree> {
  const tree = await readTree(session, tenantId);
  if (tree === undefined) throw new ServerError('NOT_FOUND', `tenant ${tenantId} has no records`);
  return tree;
}
