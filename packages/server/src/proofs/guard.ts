import { LogError, parseOrigin } from '@tallystick/log';
import { chainStopped } from '../errors.ts';
import { type Database, type Session, writer } from '../store/database.ts';
import { findStrays, strayReason } from '../store/strays.ts';
import { contradictionOf, missingRecords } from './contradiction.ts';
import { SignedCache } from './signed-cache.ts';
import type { Signer } from './signer.ts';
import type { LastSigned } from './signer-store.ts';
import { type LogId, readTree, type TenantTree } from './tree-reader.ts';

/**
 * Compares the store with what was signed, and stops chains that contradict it. Such a store was restored from a backup or
 * tampered with; to extend its chain would fork the log.
 */
export class ChainGuard {
  readonly #database: Database;
  readonly #signer: Signer;
  readonly #signedCache: SignedCache;
  /** Tenants whose chain contradicts what was signed, with the reason. Owned by this object; the writer reads it. */
  readonly #stopped = new Map<string, string>();

  constructor(database: Database, signer: Signer) {
    this.#database = database;
    this.#signer = signer;
    this.#signedCache = new SignedCache(signer.store);
  }

  /** Tenants whose chains are stopped, with the reason. */
  get stopped(): ReadonlyMap<string, string> {
    return this.#stopped;
  }

  /** Stops a chain: nothing is appended to it until it is recovered. */
  stop(tenantId: string, reason: string): void {
    this.#stopped.set(tenantId, reason);
  }

  /** To be called when a new checkpoint of the origin was signed. */
  noteSigned(origin: string): void {
    this.#signedCache.forget(origin);
  }

  /**
   * @throws {ServerError} `CHAIN_STOPPED`
   */
  assertRunning(tenantId: string): void {
    const reason = this.#stopped.get(tenantId);
    if (reason !== undefined) throw chainStopped(tenantId, reason);
  }

  /**
   * Compares every signed checkpoint with the store. It stops each chain that is shorter than its checkpoint or differs
   * from it, or that has a row outside of the chain.
   *
   * @returns the stopped tenants, with the reason
   */
  async compareWithSigner(): Promise<ReadonlyMap<string, string>> {
    for (const [tenantId, signed] of await this.#readSigned()) {
      const reason = await this.#contradictionOf(tenantId, signed);
      if (reason !== undefined) this.#stopped.set(tenantId, reason);
    }
    return this.#stopped;
  }

  /** Compares the stopped chains again. Those that this or another process has recovered run again. */
  async reviewStopped(): Promise<void> {
    if (this.#stopped.size === 0) return;
    const signed = await this.#readSigned();
    for (const tenantId of [...this.#stopped.keys()]) {
      const reason = await this.#contradictionOf(tenantId, signed.get(tenantId) ?? []);
      if (reason === undefined) this.#stopped.delete(tenantId);
      else this.#stopped.set(tenantId, reason);
    }
  }

  /**
   * Stops a chain whose locked head has fewer records than were signed. The store was set back while the service ran: by a
   * restore, or by the promotion of a standby that had not received all records.
   *
   * @param session the transaction that locked the head. A process that was frozen may have lost its session, and with it
   *   the lock. Others may have appended and signed since, so that the head it knows is outdated. The guard therefore
   *   checks that the session still answers before it stops the chain
   * @throws {ServerError} `CHAIN_STOPPED`; or the session's own error where the session has ended
   */
  async assertCurrent(session: Session, head: LogId & { readonly lastSequence: number }): Promise<void> {
    const reason = this.#findSetBack(head);
    if (reason === undefined) return;
    // Records are committed before they are signed, and this session held the lock when the signed checkpoint was read.
    // So an honest store has at least the signed records.
    await session.query('select 1');
    this.#stopped.set(head.tenantId, reason);
    this.assertRunning(head.tenantId);
  }

  #findSetBack(head: LogId & { readonly lastSequence: number }): string | undefined {
    const stored = head.lastSequence + 1;
    const signed = this.#signedCache.lastSigned(this.#signer.originOf(head));
    if (signed !== undefined) return signed.size > stored ? missingRecords(signed, stored) : undefined;
    if (head.epoch === 1) return undefined;
    const findUnopened = () =>
      this.#unopenedEpoch(head, this.#signer.store.lastSignedByTenant().get(head.tenantId) ?? []);
    return this.#signedCache.unlessLocked(findUnopened, undefined);
  }

  async #readSigned(): Promise<Map<string, LastSigned[]>> {
    return await this.#signer.store.patiently(() => this.#signer.store.lastSignedByTenant());
  }

  async #contradictionOf(tenantId: string, allSigned: readonly LastSigned[]): Promise<string | undefined> {
    return await this.#database.transaction(writer, async (session) => {
      try {
        const tree = await readTree(session, tenantId);
        for (const signed of allSigned) {
          const reason = await this.#compareEpoch(session, tree, signed);
          if (reason !== undefined) return reason;
        }
        const unopened = tree === undefined ? undefined : this.#unopenedEpoch(tree, allSigned);
        if (unopened !== undefined) return unopened;
        const [stray] = await findStrays(session, tenantId, 1, this.#signer.knownEpochs(tenantId));
        return stray === undefined ? undefined : strayReason(stray);
      } catch (error) {
        // A damaged chain of one tenant must not keep the service from starting for the others.
        if (error instanceof LogError) return 'the head of the chain is damaged';
        throw error;
      }
    });
  }

  async #compareEpoch(
    session: Session,
    tree: TenantTree | undefined,
    signed: LastSigned,
  ): Promise<string | undefined> {
    const { epoch } = parseOrigin(signed.origin);
    if (tree === undefined) return missingRecords(signed, 'none');
    if (tree.epoch > epoch) return undefined;
    if (tree.epoch < epoch) return `epoch ${epoch} was signed, the store has epoch ${tree.epoch}`;
    return await contradictionOf(session, tree, signed);
  }

  /**
   * Why the store must not have this epoch, or `undefined`. An attacker who rewrote a chain could raise its epoch, and so
   * evade comparison with all that was signed.
   */
  #unopenedEpoch(log: LogId, allSigned: readonly LastSigned[]): string | undefined {
    // Without any checkpoint of the tenant there is nothing to compare with.
    if (allSigned.length === 0) return undefined;
    const origin = this.#signer.originOf(log);
    const isKnown =
      allSigned.some((signed) => signed.origin === origin) || this.#signer.store.isOpened(origin);
    return isKnown ? undefined : `the store has epoch ${log.epoch}, which was never opened`;
  }
}
