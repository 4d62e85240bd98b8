import { randomBytes } from 'node:crypto';
import { type SharedPostgres, sharedPostgres } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Database, Row } from '../src/store/database.ts';
import { migratePglite, migratePostgres } from '../src/store/migrate.ts';
import { PgliteDatabase } from '../src/store/pglite/pglite.ts';
import { PostgresDatabase, type PostgresOptions } from '../src/store/postgres.ts';

/** A migrated store for one test, with the rights of the service and of the owner. */
export interface TestStore {
  readonly kind: 'pglite' | 'postgres';
  /** As the service: a login that owns nothing. */
  readonly database: Database;
  /** The role that {@link database} acts as when it writes. */
  readonly writerRole: string;
  /** Opens the store as another process of the service would, with separate connections. */
  connect(options?: Omit<PostgresOptions, 'url'>): Database;
  /** As the owner of the tables, who here is a superuser too. */
  asOwner<R extends object = Row>(sql: string, parameters?: unknown[]): Promise<R[]>;
  close(): Promise<void>;
}

/** A store on PostgreSQL can be reached by other means as well. */
export interface PostgresStore extends TestStore {
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  readonly serviceLogin: string;
}

/** Runs the same tests on the embedded store and on a PostgreSQL server; each file and store has its own database. */
export function onEachStore(suite: (store: () => TestStore) => void): void {
  describe.each([
    { kind: 'PGlite', open: openPglite },
    { kind: 'PostgreSQL', open: openPostgres },
  ])('on $kind', ({ open }) => {
    let opened: TestStore;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    suite(() => opened);
  });
}

async function openPglite(directory?: string): Promise<TestStore & { database: PgliteDatabase }> {
  const database = await PgliteDatabase.open(directory);
  await migratePglite(database);
  return {
    kind: 'pglite',
    database,
    writerRole: 'tally_writer',
    connect: () => database,
    asOwner: (sql, parameters) => database.asOwner((session) => session.query(sql, parameters)),
    close: () => database.close(),
  };
}

export async function openPostgres(): Promise<PostgresStore> {
  const shared = await sharedPostgres();
  const { url: ownerUrl } = await shared.createDatabase();
  const { login: serviceLogin, url: serviceUrl } = await createLogin(shared, ownerUrl);
  await migratePostgres(ownerUrl, serviceLogin);
  return await connectPostgres(ownerUrl, serviceUrl, serviceLogin);
}

/** A store in a database that is migrated already. */
async function connectPostgres(
  ownerUrl: string,
  serviceUrl: string,
  serviceLogin: string,
): Promise<PostgresStore> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  const roles = await owner.query<{ writer: string }>('select writer from tally_roles');
  const opened: Database[] = [];
  const connect = (options: Omit<PostgresOptions, 'url'> = {}) => {
    const database = new PostgresDatabase({ ...options, url: serviceUrl });
    opened.push(database);
    return database;
  };
  return {
    kind: 'postgres',
    ownerUrl,
    serviceUrl,
    serviceLogin,
    database: connect(),
    writerRole: roles.rows[0]!.writer,
    connect,
    asOwner: async <R extends object>(sql: string, parameters?: unknown[]) =>
      (await owner.query(sql, parameters)).rows as R[],
    close: async () => {
      await Promise.all(opened.map((database) => database.close()));
      await owner.end();
    },
  };
}

/** Creates a login role. Roles belong to the whole server, so each test uses its own name. */
export async function createLogin(
  shared: Pick<SharedPostgres, 'adminUrl'>,
  databaseUrl: string,
  attributes = '',
): Promise<{ readonly login: string; readonly url: string }> {
  const login = `svc_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  await runSql(shared.adminUrl, `create role ${login} login ${attributes} password '${password}'`);
  const url = new URL(databaseUrl);
  url.username = login;
  url.password = password;
  return { login, url: url.href };
}

/** Runs one script on a new connection. */
export async function runSql<R extends object = Row>(url: string, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as R[];
  } finally {
    await client.end();
  }
}
