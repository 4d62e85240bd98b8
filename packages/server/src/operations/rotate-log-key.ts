import type { RotationStatement } from '@tallystick/log';
import { recordRotations } from '../chain/record-rotations.ts';
import type { Writer } from '../chain/writer.ts';
import type { Signer } from '../proofs/signer.ts';
import { assertReason } from './reason.ts';

/** What a rotation works on. An `AuditService` has all of it. */
export interface RotationSources {
  readonly signer: Signer;
  readonly writer: Writer;
  /** Tenant of the service's own records. */
  readonly serviceTenant: string;
}

/**
 * Replaces the key that signs the checkpoints of all tenants. The old and the new key sign a statement about it, and the seed of the old
 * key is erased. All of this is one transaction of the signer's store. Replicas read the key before each signature, so they use the new
 * one from then on. Checkpoints that the old key signed stay valid.
 *
 * @param request.reason for people, 1 to 500 characters. It becomes a permanent part of the chain of the service's tenant
 * @throws {ServerError} `PARAMETER_INVALID` for the reason; `STORE_UNAVAILABLE` where another process holds the lock of the signer's
 *   directory
 */
export async function rotateLogKey(
  sources: RotationSources,
  request: { readonly reason: string; readonly by: string; readonly now: number },
): Promise<RotationStatement & { readonly statement: string }> {
  assertReason(request.reason);
  const rotation = await sources.signer.rotations.rotate(request);
  // Durable from here. A crash leaves the record of it to be written: the next start of the service writes it.
  await recordRotations(sources.signer.store, sources, request.now);
  return rotation;
}
