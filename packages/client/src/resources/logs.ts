import type { ConsistencyProof, InclusionProof, LogKeys } from '@tallystick/protocol';
import { chunksOf } from '../body.ts';
import type { CallOptions, Sender } from '../sender.ts';

/** Which records a bundle holds. */
export interface BundleQuery {
  /** First and last record of a part, by sequence number. @defaultValue the whole chain */
  readonly first?: number | undefined;
  readonly last?: number | undefined;
  /** Of a whole chain: also the records that were appended after the checkpoint. @defaultValue false */
  readonly tail?: boolean | undefined;
}

/** The transparency log of a tenant: checkpoints, proofs, and records with everything that checks them. */
export interface LogsResource {
  /**
   * A signed checkpoint (C2SP tlog-checkpoint): the newest one.
   *
   * @param query `fresh`: sign the newest records first. @defaultValue false
   */
  checkpoint(
    tenantId: string,
    query?: { readonly fresh?: boolean | undefined },
    options?: CallOptions,
  ): Promise<string>;
  /** The log's verifier keys, newest first. A key from here is only as trustworthy as the connection. */
  keys(tenantId: string, options?: CallOptions): Promise<LogKeys>;
  /** Proof of one event (C2SP tlog-proof) that is verified offline. */
  receipt(tenantId: string, auditId: string, options?: CallOptions): Promise<string>;
  /** Proof that the record with the sequence number `index` is in the tree of `size` records. */
  inclusionProof(
    tenantId: string,
    query: { readonly index: number; readonly size: number },
    options?: CallOptions,
  ): Promise<InclusionProof>;
  /** Proof that the tree of `to` records extends the tree of `from` records. */
  consistencyProof(
    tenantId: string,
    query: { readonly from: number; readonly to: number },
    options?: CallOptions,
  ): Promise<ConsistencyProof>;
  /** Hashes of a tile of the tree (C2SP tlog-tiles), for example `0/x001/234`. */
  tile(tenantId: string, tile: string, options?: CallOptions): Promise<Uint8Array>;
  /**
   * The bytes of a bundle (spec/bundle.md), as they arrive. A caller that stops early ends the transfer. If the connection
   * breaks in the middle, the iteration throws and the bundle is incomplete.
   */
  bundle(tenantId: string, query?: BundleQuery, options?: CallOptions): AsyncIterable<Uint8Array>;
}

export function logsResource(sender: Sender): LogsResource {
  const pathOf = (tenantId: string, rest: string) => `v1/logs/${encodeURIComponent(tenantId)}/${rest}`;
  return {
    checkpoint: async (tenantId, query = {}, { signal } = {}) =>
      await sender.text({ path: pathOf(tenantId, 'checkpoint'), query: { ...query }, signal }),
    keys: async (tenantId, { signal } = {}) => await sender.json({ path: pathOf(tenantId, 'keys'), signal }),
    receipt: async (tenantId, auditId, { signal } = {}) =>
      await sender.text({ path: pathOf(tenantId, `receipt/${encodeURIComponent(auditId)}`), signal }),
    inclusionProof: async (tenantId, query, { signal } = {}) =>
      await sender.json({ path: pathOf(tenantId, 'proof/inclusion'), query: { ...query }, signal }),
    consistencyProof: async (tenantId, query, { signal } = {}) =>
      await sender.json({ path: pathOf(tenantId, 'proof/consistency'), query: { ...query }, signal }),
    tile: async (tenantId, tile, { signal } = {}) => {
      const path = pathOf(tenantId, `tile/${tile.split('/').map(encodeURIComponent).join('/')}`);
      return new Uint8Array(await sender.send({ path, signal }, (response) => response.arrayBuffer()));
    },
    async *bundle(tenantId, query = {}, { signal } = {}) {
      const request = { path: pathOf(tenantId, 'bundle'), query: { ...query }, signal };
      yield* chunksOf(await sender.send(request, (response) => response));
    },
  };
}
