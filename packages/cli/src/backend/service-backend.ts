import { type Client, ClientError } from '@tallystick/client';
import { parseOrigin, parseVerifierKey, type Verifier } from '@tallystick/log';
import type { ItemResult } from '@tallystick/protocol';
import { isTrusted, type Report, verifyBundle } from '@tallystick/verify';
import { CliError } from '../errors.ts';
import { checkLists } from '../live-checks/list-check.ts';
import { ownCheck } from '../live-checks/own-check.ts';
import { RecordWindows } from '../live-checks/record-windows.ts';
import { unread, withFindings } from '../live-checks/with-findings.ts';
import { type Place, servicePlace } from '../trust/place.ts';
import type { Backend, VerifyOptions } from './backend.ts';
import { peekFile } from './file-head.ts';

/** A service that is reached over HTTP. */
export class ServiceBackend implements Backend {
  readonly name: string;
  readonly place: Place;
  readonly client: Client;

  constructor(url: URL, client: Client) {
    this.name = url.origin;
    this.place = servicePlace(url);
    this.client = client;
  }

  /** The service decides which source its records name, so `source` is not sent. */
  async submit(events: readonly string[], _source: string): Promise<readonly ItemResult[]> {
    return await this.client.events.submit(events);
  }

  /**
   * Checks the records, then asks the service for its own check, and compares its lists with the records. If the service can't
   * export the trail, its own check may say why.
   */
  async verify(tenantId: string, options: VerifyOptions): Promise<Report> {
    let trusted: string | undefined;
    const windows = new RecordWindows();
    const onTrustedCheckpoint = (note: string) => {
      trusted = note;
    };
    let checked: { readonly report: Report; readonly epoch: number | undefined };
    try {
      checked = await this.#verifyBundle(tenantId, { ...options, onTrustedCheckpoint }, windows);
    } catch (error) {
      if (error instanceof ClientError) return await this.#explain(tenantId, error);
      throw error;
    }
    const { report, epoch } = checked;
    if (epoch === undefined) return report;
    const own = await ownCheck(this.client, tenantId);
    if (own.refused !== undefined) options.onNotice(own.refused);
    const listed = isTrusted(report.verdict)
      ? await checkLists({ client: this.client, tenantId, epoch }, windows.finish())
      : [];
    const all = withFindings(report, [...own.findings, ...listed]);
    if (trusted !== undefined && isTrusted(all.verdict)) options.onTrustedCheckpoint(trusted);
    return all;
  }

  /**
   * Says why a trail can't be exported, if the service's own check finds a reason.
   *
   * @throws {ClientError} the given one, if the check finds nothing
   */
  async #explain(tenantId: string, failure: ClientError): Promise<Report> {
    if (failure.code === 'UNREACHABLE' || failure.code === 'UNAUTHENTICATED') throw failure;
    const { findings } = await ownCheck(this.client, tenantId).catch(() => {
      throw failure;
    });
    if (findings.length === 0) throw failure;
    return withFindings(unread(tenantId), findings);
  }

  async #verifyBundle(
    tenantId: string,
    options: VerifyOptions,
    windows: RecordWindows,
  ): Promise<{ readonly report: Report; readonly epoch: number | undefined }> {
    const { header, offered, rotations, bytes } = await peekFile(this.client.logs.bundle(tenantId));
    // This is not a bundle: another program or a proxy answered. The verifier reports it.
    if (header === undefined) return { report: await verifyBundle(bytes, { keys: [] }), epoch: undefined };
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
    const { verifiers, ...relied } = await options.trustFor(origin, own, rotations);
    const report = await verifyBundle(bytes, {
      keys: verifiers,
      ...relied,
      onTrusted: options.onTrustedCheckpoint,
      onEquivocation: options.onEquivocation,
      onRecord: (record, hash) => {
        windows.add(record.sequence_number, hash);
        options.onRecord(record);
      },
      onProgress: options.onProgress,
    });
    return { report, epoch: parseOrigin(origin).epoch };
  }

  async offeredKey(tenantId: string): Promise<Verifier | undefined> {
    // Newest first. Retired keys are for checkpoints that were signed before.
    const [newest] = (await this.client.logs.keys(tenantId)).keys;
    return newest === undefined ? undefined : parseVerifierKey(newest.key);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
