import type { TileId } from '@tallystick/log';
import { type Database, writer } from '../store/database.ts';
import { Checkpointer, requireTree, type SignedCheckpoint } from './checkpointer.ts';
import { ChainGuard } from './guard.ts';
import { LogProofs } from './log-proofs.ts';
import type { Signer } from './signer.ts';
import type { LogId } from './tree-reader.ts';

/** The tenants' logs for applications: one object in front of guard, checkpointer and proofs, which document the calls. */
export class TenantLogs {
  /** Compares the store with what was signed. */
  readonly guard: ChainGuard;
  readonly checkpointer: Checkpointer;
  readonly #proofs: LogProofs;
  readonly #database: Database;
  readonly #signer: Signer;

  constructor(database: Database, signer: Signer) {
    this.#database = database;
    this.#signer = signer;
    this.guard = new ChainGuard(database, signer);
    this.checkpointer = new Checkpointer(database, signer, this.guard);
    this.#proofs = new LogProofs(database);
  }

  get logName(): string {
    return this.#signer.logName;
  }

  /** The origin of a tenant's log: what its checkpoints name. */
  origin(log: LogId): string {
    return this.#signer.originOf(log);
  }

  /**
   * Verifier keys of the tenant's current log, newest first.
   *
   * @throws {ServerError} `NOT_FOUND` for a tenant without a chain
   */
  async verifierKeys(
    tenantId: string,
  ): Promise<readonly { readonly key: string; readonly retiredAt?: string }[]> {
    const tree = await this.#database.transaction(writer, (session) => requireTree(session, tenantId));
    return this.#signer.verifierKeys(this.origin(tree));
  }

  /** See {@link ChainGuard.stopped}. */
  get stopped(): ReadonlyMap<string, string> {
    return this.guard.stopped;
  }

  /** See {@link Checkpointer.checkpoint}. */
  async checkpoint(tenantId: string): Promise<SignedCheckpoint> {
    return await this.checkpointer.checkpoint(tenantId);
  }

  /** See {@link Checkpointer.latestCheckpoint}. */
  async latestCheckpoint(tenantId: string): Promise<SignedCheckpoint | undefined> {
    return await this.checkpointer.latestCheckpoint(tenantId);
  }

  /** See {@link Checkpointer.checkpointAll}. */
  async checkpointAll(onError: (tenantId: string, error: unknown) => void): Promise<number> {
    return await this.checkpointer.checkpointAll(onError);
  }

  /** See {@link LogProofs.inclusionProof}. */
  async inclusionProof(tenantId: string, index: number, size: number): Promise<Uint8Array[]> {
    return await this.#proofs.inclusionProof(tenantId, index, size);
  }

  /** See {@link LogProofs.consistencyProof}. */
  async consistencyProof(tenantId: string, from: number, to: number): Promise<Uint8Array[]> {
    return await this.#proofs.consistencyProof(tenantId, from, to);
  }

  /** See {@link LogProofs.earlierProof}. */
  async earlierProof(
    log: LogId,
    index: number,
    recordHash: Uint8Array,
  ): Promise<{ readonly note: string; readonly inclusion: readonly Uint8Array[] } | undefined> {
    return await this.#proofs.earlierProof(log, index, recordHash);
  }

  /** See {@link LogProofs.tile}. */
  async tile(tenantId: string, tile: TileId, width: number): Promise<Uint8Array> {
    return await this.#proofs.tile(tenantId, tile, width);
  }
}
