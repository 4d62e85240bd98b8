import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@tallystick/client';
import { uuidv7 } from '@tallystick/event';
import { AuditService } from '@tallystick/server';
import { type HttpServer, serveHttp } from '@tallystick/server/http';
import { type TempDir, tempDir } from '@tallystick/testing';
import { serveFront } from './pages.ts';

/** A service that runs on one copy of the store. */
interface Running {
  readonly service: AuditService;
  readonly http: HttpServer;
}

/** What a customer of the portal did, the oldest first: minutes ago, type, who, on what, outcome, and more. */
const day: readonly (readonly [number, string, string, string, string, object?])[] = [
  [7_310, 'access.role_changed', 'jonas.weber@nordlicht.example', 'role/auditor', 'success'],
  [5_880, 'auth.login', 'amira.haddad@nordlicht.example', 'portal', 'success'],
  [5_871, 'document.shared', 'amira.haddad@nordlicht.example', 'contract-2291.pdf', 'success'],
  [4_410, 'auth.login', 'unknown@example.net', 'portal', 'denied', { error_code: 'WRONG_PASSWORD' }],
  [2_940, 'invoice.paid', 'billing', 'invoice/2026-1107', 'success'],
  [1_466, 'export.requested', 'jonas.weber@nordlicht.example', 'customers.csv', 'success'],
  [1_465, 'export.finished', 'portal', 'customers.csv', 'partial'],
  [180, 'api_key.created', 'jonas.weber@nordlicht.example', 'key/warehouse', 'success'],
  [42, 'document.deleted', 'amira.haddad@nordlicht.example', 'draft-3.docx', 'success'],
  [7, 'auth.login', 'jonas.weber@nordlicht.example', 'portal', 'success'],
];
/** Names without mercy. */
const merciless: typeof day = [
  [6, 'document.shared', 'نورا-الخطيب \u202eדוח@nordlicht.example', 'تقرير-الربع-الثالث.pdf', 'success'],
  [
    5,
    'document.shared',
    `${'a-team-with-a-very-long-name-'.repeat(6)}@nordlicht.example`,
    'x'.repeat(180),
    'failure',
  ],
];

/** The service behind a customer's page, and the same service after its operator has forked the log. */
export class Portal implements AsyncDisposable {
  readonly #dir: TempDir;
  readonly #origin: string;
  readonly #logs = new Map<string, Running>();
  #shown = 'genuine';
  #front!: Awaited<ReturnType<typeof serveFront>>;
  #key = '';
  /** A token of the customer with a day of events, which works on both histories: it was made before the fork. */
  dayToken = '';

  private constructor(dir: TempDir, origin: string) {
    this.#dir = dir;
    this.#origin = origin;
  }

  /** @param origin of the pages that may read from the service */
  static async open(origin: string): Promise<Portal> {
    const portal = new Portal(tempDir(), origin);
    await portal.#start();
    return portal;
  }

  /** Address of the service. The operator can put another history behind it. */
  get url(): string {
    return this.#front.url;
  }

  async #start(): Promise<void> {
    const first = await this.#run('genuine');
    const { key } = await first.service.keys.create({
      name: 'portal',
      scopes: ['events:write', 'viewer-tokens:issue', 'events:read', 'log:read'],
      tenants: ['acme'],
    });
    this.#key = key;
    await this.#submit(first, day, 'nordlicht');
    await this.#submit(first, merciless, 'merciless');
    await first.service.logs.checkpoint('acme');
    const client = createClient({ url: first.http.url, apiKey: key });
    const filters = { 'metadata.customer': 'nordlicht' };
    this.dayToken = (await client.viewerTokens.create({ filters, expires_in: 3_600 })).token;
    await stop(first);
    for (const part of ['', '-signer'])
      cpSync(join(this.#dir.path, `genuine${part}`), join(this.#dir.path, `fork${part}`), {
        recursive: true,
      });
    const [genuine, fork] = [await this.#run('genuine'), await this.#run('fork')];
    await this.#submit(genuine, day.slice(-1), 'another customer');
    await this.#submit(fork, day.slice(-3), 'another customer');
    for (const { service } of [genuine, fork]) await service.logs.checkpoint('acme');
    this.#front = await serveFront(() => this.#logs.get(this.#shown)!.http.url);
  }

  async #run(name: string): Promise<Running> {
    const directory = join(this.#dir.path, name);
    const service = await AuditService.open({
      store: { directory },
      signerDirectory: `${directory}-signer`,
      logName: 'audit.example.com',
      checkpointIntervalMs: 0,
    });
    const http = await serveHttp(service, {
      ...{ port: 0, logger: false, auditReads: false, corsOrigins: [this.#origin] },
    });
    this.#logs.set(name, { service, http });
    return { service, http };
  }

  async #submit({ http }: Running, events: typeof day, customer: string): Promise<void> {
    const submitted = events.map(([ago, event_type, actor_id, target_id, outcome_status, more]) => ({
      ...{ audit_id: uuidv7(), tenant_id: 'acme', event_type, actor_type: 'user' as const, actor_id },
      timestamp: new Date(Date.now() - ago * 60_000).toISOString(),
      ...{ target_type: 'document', target_id, source_service: 'portal', metadata: { customer } },
      outcome: { outcome_status, ...more },
    }));
    const results = await createClient({ url: http.url, apiKey: this.#key }).events.submit(
      submitted as never,
    );
    if (results.some(({ status }) => status !== 'chained')) throw new Error(JSON.stringify(results));
  }

  /** Shows one of the two histories. */
  show(history: 'genuine' | 'fork'): void {
    this.#shown = history;
  }

  /** A viewer token for a customer. */
  async token(customer: string, more: object = {}): Promise<{ readonly token: string; readonly id: string }> {
    const client = createClient({ url: this.url, apiKey: this.#key });
    return await client.viewerTokens.create({ filters: { 'metadata.customer': customer }, ...more });
  }

  async revoke(id: string): Promise<void> {
    await createClient({ url: this.url, apiKey: this.#key }).viewerTokens.revoke(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front[Symbol.asyncDispose]();
    for (const running of this.#logs.values()) await stop(running);
    this.#dir.remove();
  }
}

async function stop({ http, service }: Running): Promise<void> {
  await http.close();
  await service.close();
}
