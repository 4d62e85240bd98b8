import { join } from 'node:path';
import { type Client, createClient } from '@tallystick/client';
import { consoleFiles } from '@tallystick/console';
import type { Scope } from '@tallystick/protocol';
import { AuditService } from '@tallystick/server';
import { type HttpServer, type LoginOptions, serveHttp } from '@tallystick/server/http';
import { PgliteDatabase } from '@tallystick/server/store';
import { copySocTrail, prepareEmbeddedStore, type TempDir, tempDir } from '@tallystick/testing';

/** What a key may be bound to. */
interface Bounds {
  readonly tenants?: readonly string[];
  readonly subject?: string;
  readonly expiresAt?: Date;
}

/** How people sign in beside keys, and at which port, where the provider must know the address before. */
interface Entrance {
  readonly port?: number;
  readonly logins?: LoginOptions;
}

/** The audit service with the console, on an embedded store, as `tally dev` starts it. */
export class ConsoleService implements AsyncDisposable {
  readonly #dir: TempDir | undefined;
  readonly #store: { readonly directory: string; readonly signerDirectory: string };
  /** Added to the service's clock, ms. */
  shift = 0;
  #service!: AuditService;
  #http!: HttpServer;
  #admin = '';

  readonly #entrance: Entrance;

  private constructor(
    dir: TempDir | undefined,
    store: { readonly directory: string; readonly signerDirectory: string },
    entrance: Entrance = {},
  ) {
    this.#dir = dir;
    this.#store = store;
    this.#entrance = entrance;
  }

  /** A service with an empty store. */
  static async empty(entrance: Entrance = {}): Promise<ConsoleService> {
    const dir = tempDir();
    const directory = join(dir.path, 'trail');
    await prepareEmbeddedStore(directory);
    const store = { directory, signerDirectory: join(dir.path, 'signer') };
    return await new ConsoleService(dir, store, entrance).#open();
  }

  /** A service with the trail of the reference platform: the tenants `acme` and `globex`. */
  static async withSocTrail(): Promise<ConsoleService> {
    const dir = tempDir();
    return await new ConsoleService(dir, await copySocTrail(join(dir.path, 'trail'))).#open();
  }

  /** A service with the trail in a directory, which stays. */
  static async on(directory: string): Promise<ConsoleService> {
    return await new ConsoleService(undefined, {
      directory,
      signerDirectory: join(directory, 'signer'),
    }).#open();
  }

  async #open(): Promise<this> {
    await this.comeBack();
    this.#admin = await this.key('operator', ['admin']);
    return this;
  }

  get url(): string {
    return this.#http.url;
  }

  /** Address of the console. */
  get site(): string {
    return `${this.url}/console/`;
  }

  get service(): AuditService {
    return this.#service;
  }

  /** A client with the scope `admin`. */
  get client(): Client {
    return this.clientWith(this.#admin);
  }

  clientWith(apiKey: string): Client {
    return createClient({ url: this.url, apiKey });
  }

  async key(name: string, scopes: readonly Scope[], bounds: Bounds = {}): Promise<string> {
    return (await this.#service.keys.create({ name, scopes, ...bounds })).key;
  }

  /** A link that signs in one time. */
  signInLink(page = ''): string {
    return `${this.site}${page}#link=${this.#service.signInLinks.create()}`;
  }

  /** Changes the database as an attacker does who is its superuser. */
  async tamper(statement: string, values: readonly unknown[]): Promise<void> {
    const { database } = this.#service;
    if (!(database instanceof PgliteDatabase)) throw new Error('this store can’t be tampered with here');
    await database.asOwner(async (session) => {
      await session.query('set local session_replication_role = replica');
      await session.query(statement, [...values]);
    });
  }

  /** Stops the service. Its address answers nothing. */
  async goAway(): Promise<void> {
    await this.#http.close();
    await this.#service.close();
  }

  /** Starts the service, at the address that it had. */
  async comeBack(): Promise<void> {
    const now = () => Date.now() + this.shift;
    const { directory, signerDirectory } = this.#store;
    this.#service = await AuditService.open({
      store: { directory },
      signerDirectory,
      checkpointIntervalMs: 0,
      now,
    });
    const { port: first = 0, logins } = this.#entrance;
    const port = this.#http === undefined ? first : Number(new URL(this.url).port);
    this.#http = await serveHttp(this.#service, {
      port,
      logger: false,
      now,
      ...(logins !== undefined && { logins }),
      consoleSite: { files: consoleFiles },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.goAway();
    this.#dir?.remove();
  }
}
