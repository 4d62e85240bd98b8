import { parseOrigin, parseVerifierKey, type Verifier } from '@tallystick/log';
import { AuditService, ServerError } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import { writer } from '@tallystick/server/store';
import { type Report, verifyStore } from '@tallystick/verify';
import type { Context } from '../context.ts';
import { serviceTenantIn } from '../settings/service-tenant.ts';
import type { SubmitOutcome, VerifyOptions } from './backend.ts';
import { HttpBackend } from './http-backend.ts';
import { withOperatorKey } from './operator.ts';
import { describeStoreError, embeddedLogName } from './store.ts';
import { httpWire, type Wire } from './wire.ts';

/**
 * A store that this process opens itself. One process a directory: a service that has it open keeps us out. What is read
 * goes through the service's own HTTP app, on a loopback port behind a key that nobody else has, so that a store and a
 * service answer alike; what is written and verified does not take that way round.
 */
export class EmbeddedBackend extends HttpBackend {
  readonly #service: AuditService;
  readonly #close: () => Promise<void>;

  private constructor(directory: string, service: AuditService, wire: Wire, close: () => Promise<void>) {
    super(directory, wire);
    this.#service = service;
    this.#close = close;
  }

  /**
   * @throws {CliError} `STORE_UNAVAILABLE`
   */
  static async open(directory: string, context: Context): Promise<EmbeddedBackend> {
    const { env, now } = context.surroundings;
    let service: AuditService;
    try {
      service = await AuditService.open({
        store: { directory },
        logName: env.TALLYSTICK_LOG_NAME ?? embeddedLogName,
        serviceTenant: serviceTenantIn(env),
        // A command is short: what it writes is signed when somebody asks for it.
        checkpointIntervalMs: 0,
        now,
      });
    } catch (error) {
      throw describeStoreError(error, directory);
    }
    let server: HttpServer | undefined;
    let wire: Wire | undefined;
    const lazyWire: Wire = async (path, request) => {
      if (wire === undefined) {
        const { service: seen, key } = withOperatorKey(service);
        server = await serveHttp(seen, { port: 0, logger: false, now, drainMs: 100 });
        wire = httpWire(new URL(server.url), key, []);
      }
      return await wire(path, request);
    };
    return new EmbeddedBackend(directory, service, lazyWire, async () => {
      await server?.close();
      await service.close();
    });
  }

  override async submit(events: readonly string[], source: string): Promise<readonly SubmitOutcome[]> {
    return await this.#service.submit({ events, source, trust: 'operator' });
  }

  /** Against the tables themselves: records, columns, tiles and head, and what the signer remembers outside of them. */
  override async verify(tenant: string, options: VerifyOptions): Promise<Report> {
    await this.#signAll(tenant);
    const { origin, note } = this.#signed(tenant);
    const { verifiers, trust, checkpoints } = await options.judge(origin, await this.offeredKey(tenant));
    const query = (sql: string, parameters: readonly unknown[]) =>
      this.#service.database.query<{ readonly [column: string]: unknown }>(writer, sql, parameters);
    return await verifyStore(query, {
      tenantId: tenant,
      logName: this.#service.logs.logName,
      keys: verifiers,
      trust,
      checkpoints: [...checkpoints, ...(note === undefined ? [] : [note])],
      onVouched: options.onVouched,
      onProgress: options.onProgress,
    });
  }

  override async offeredKey(tenant: string): Promise<Verifier | undefined> {
    const [newest] = this.#service.signer.verifierKeys(this.#signed(tenant).origin);
    return newest === undefined ? undefined : parseVerifierKey(newest.key);
  }

  /** The newest records are covered too, unless the store contradicts what was signed: then the check has to say so. */
  async #signAll(tenant: string): Promise<void> {
    try {
      await this.#service.logs.checkpoint(tenant);
    } catch (error) {
      const expected = ['NOT_FOUND', 'CHAIN_STOPPED', 'CHECKPOINT_INCONSISTENT'];
      if (!(error instanceof ServerError) || !expected.includes(error.code)) throw error;
    }
  }

  /** What the signer signed last for the tenant. */
  #signed(tenant: string): { readonly origin: string; readonly note: string | undefined } {
    const heads = this.#service.signer.store
      .heads()
      .map((head) => ({ head, parsed: parseOrigin(head.origin) }));
    const newest = heads
      .filter(({ parsed }) => parsed.tenantId === tenant)
      .sort((a, b) => b.parsed.epoch - a.parsed.epoch)[0]?.head;
    return newest ?? { origin: this.#service.logs.origin({ tenantId: tenant, epoch: 1 }), note: undefined };
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
