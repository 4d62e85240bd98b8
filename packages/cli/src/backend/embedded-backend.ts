import { type Client, createClient } from '@tallystick/client';
import { parseVerifierKey, readRotation, type Verifier } from '@tallystick/log';
import type { ItemResult } from '@tallystick/protocol';
import { type AuditService, createHttpApp, ServerError } from '@tallystick/server';
import { writer } from '@tallystick/server/store';
import { type Report, verifyStore } from '@tallystick/verify';
import type { ProcessContext } from '../process-context.ts';
import { openService } from '../service/open.ts';
import { embeddedStoreOptions } from '../service/options.ts';
import { directoryPlace, type Place } from '../trust/place.ts';
import { asOperator } from './as-operator.ts';
import type { Backend, VerifyOptions } from './backend.ts';
import { type InProcess, inProcess } from './in-process-fetch.ts';

/** The service's HTTP app, and a connection to it in memory. */
interface HttpInProcess {
  readonly app: ReturnType<typeof createHttpApp>;
  readonly connection: InProcess;
}

/**
 * A store that this process opens itself. Only one process can have a store open. Reads go through the service's HTTP app
 * in memory, so that a store and a service give the same answers; submitting and verifying use the store directly.
 */
export class EmbeddedBackend implements Backend {
  readonly name: string;
  readonly place: Place;
  readonly client: Client;
  readonly #service: AuditService;
  /** Created by the first request: `emit`, `import` and `verify` do not need it. */
  #http: Promise<HttpInProcess> | undefined;

  private constructor(directory: string, service: AuditService, now: () => number) {
    this.name = directory;
    this.place = directoryPlace(directory);
    this.#service = service;
    this.client = createClient({
      url: 'http://embedded.invalid',
      name: directory,
      // The app asks for a key, and takes any: see asOperator.
      apiKey: 'in-process',
      retry: { delaysMs: [] },
      fetch: async (url, init) => {
        this.#http ??= this.#startHttp(now);
        return await (await this.#http).connection.fetch(url, init);
      },
    });
  }

  /**
   * @throws {CliError} `STORE_UNAVAILABLE`, `USAGE`
   */
  static async open(directory: string, processContext: ProcessContext): Promise<EmbeddedBackend> {
    const options = embeddedStoreOptions(processContext, directory);
    // A command is short: what it writes is signed when a checkpoint is requested.
    const service = await openService({ ...options, checkpointIntervalMs: 0, followers: false }, directory);
    return new EmbeddedBackend(directory, service, processContext.now);
  }

  async #startHttp(now: () => number): Promise<HttpInProcess> {
    const app = createHttpApp(asOperator(this.#service), { logger: false, now });
    await app.ready();
    return { app, connection: inProcess(app.server) };
  }

  async submit(events: readonly string[], source: string): Promise<readonly ItemResult[]> {
    return await this.#service.submit({ events, source, trust: 'operator' });
  }

  /** Checks the tables directly: records, columns, tiles and heads, and compares them with the checkpoints in the signer's own store. */
  async verify(tenantId: string, options: VerifyOptions): Promise<Report> {
    await this.#signAll(tenantId);
    const { origin, note } = this.#newestSigned(tenantId);
    const offered = await this.offeredKey(tenantId);
    const rotations = (await this.#service.signer.rotations.evidenceFor(origin)).map(readRotation);
    const { verifiers, checkpoints, ...relied } = await options.trustFor(origin, offered, rotations);
    const query = (sql: string, parameters: readonly unknown[]) =>
      this.#service.database.query<{ readonly [column: string]: unknown }>(writer, sql, parameters);
    return await verifyStore(query, {
      tenantId,
      logName: this.#service.logs.logName,
      serviceTenant: this.#service.serviceTenant,
      keys: verifiers,
      ...relied,
      checkpoints: [...checkpoints, ...(note === undefined ? [] : [note])],
      onTrusted: options.onTrustedCheckpoint,
      onEquivocation: options.onEquivocation,
      onRecord: options.onRecord,
      onProgress: options.onProgress,
    });
  }

  async offeredKey(tenantId: string): Promise<Verifier | undefined> {
    const [newest] = this.#service.signer.verifierKeys(this.#newestSigned(tenantId).origin);
    return newest === undefined ? undefined : parseVerifierKey(newest.key);
  }

  /**
   * Signs the newest records too, so that the check covers them. A store that contradicts a signed checkpoint can't be signed.
   * The check that follows reports the contradiction.
   */
  async #signAll(tenantId: string): Promise<void> {
    try {
      await this.#service.logs.checkpoint(tenantId);
    } catch (error) {
      const expected = ['NOT_FOUND', 'CHAIN_STOPPED', 'CHECKPOINT_INCONSISTENT'];
      if (!(error instanceof ServerError) || !expected.includes(error.code)) throw error;
    }
  }

  /** Origin and note of the newest checkpoint that the signer keeps for the tenant. */
  #newestSigned(tenantId: string): { readonly origin: string; readonly note: string | undefined } {
    const newest = this.#service.signer.store.newestOf(tenantId);
    return newest ?? { origin: this.#service.logs.origin({ tenantId, epoch: 1 }), note: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const http = await this.#http;
    await http?.app.close();
    http?.connection.close();
    await this.#service.close();
  }
}
