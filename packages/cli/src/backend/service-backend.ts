import type { Client } from '@tallystick/client';
import { parseVerifierKey, type Verifier } from '@tallystick/log';
import type { ItemResult } from '@tallystick/protocol';
import { type Report, verifyBundle } from '@tallystick/verify';
import { CliError } from '../errors.ts';
import type { Backend, VerifyOptions } from './backend.ts';
import { peekFile } from './file-head.ts';

/** A service that is reached over HTTP. */
export class ServiceBackend implements Backend {
  readonly name: string;
  readonly client: Client;

  /** @param name the address, for people */
  constructor(name: string, client: Client) {
    this.name = name;
    this.client = client;
  }

  /** The service decides which source its records name, so `source` is not sent. */
  async submit(events: readonly string[], _source: string): Promise<readonly ItemResult[]> {
    return await this.client.events.submit(events);
  }

  async verify(tenantId: string, options: VerifyOptions): Promise<Report> {
    const { header, offered, bytes } = await peekFile(this.client.logs.bundle(tenantId));
    // This is not a bundle. The verifier reports it.
    if (header === undefined) return await verifyBundle(bytes, { keys: [] });
    const { origin } = header;
    // The trail of another tenant can be correct and signed with a trusted key, but the user wants this tenant's.
    if (header.tenantId !== tenantId) {
      throw new CliError('BROKEN', `${this.name} sent another trail than that of ${tenantId}`);
    }
    // A part can't be compared with a kept checkpoint. A service that was rolled back could send a part to hide it.
    if (!header.complete) {
      throw new CliError('BROKEN', `${this.name} sent only a part of the trail of ${tenantId}`);
    }
    const own = offered.find(({ name }) => name === origin);
    const { verifiers, trust, checkpoints, kept, keptOfClosed } = await options.trustFor(origin, own);
    return await verifyBundle(bytes, {
      keys: verifiers,
      trust,
      checkpoints,
      kept,
      keptOfClosed,
      onTrusted: options.onTrustedCheckpoint,
      onEquivocation: options.onEquivocation,
      onProgress: options.onProgress,
    });
  }

  async offeredKey(tenantId: string): Promise<Verifier | undefined> {
    // Newest first. Retired keys are for checkpoints that were signed before.
    const [newest] = (await this.client.logs.keys(tenantId)).keys;
    return newest === undefined ? undefined : parseVerifierKey(newest.key);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
