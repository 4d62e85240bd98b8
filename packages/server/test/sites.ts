import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepareEmbeddedStore, sharedPostgres, tempDir } from '@tallystick/testing';
import { AuditService } from '../src/app.ts';
import type { AuditServiceOptions } from '../src/service-options.ts';
import type { Database } from '../src/store/database.ts';
import { migratePostgres } from '../src/store/migrate.ts';
import { PgliteDatabase } from '../src/store/pglite/pglite.ts';
import { PostgresDatabase } from '../src/store/postgres.ts';
import { logName } from './events.ts';
import { createLogin, runSql } from './stores.ts';

/**
 * An installation: a store that can be saved and put back, as by a backup, and a signer's directory beside it that can't.
 * The service must be closed while the store is saved, put back or tampered with.
 */
export interface Site {
  readonly kind: string;
  readonly signerDirectory: string;
  /** URL of the owner of a PostgreSQL database. */
  readonly ownerUrl: string | undefined;
  open(options?: Pick<AuditServiceOptions, 'now' | 'followers'>): Promise<AuditService>;
  /** The store without the service, which would compare it with signed checkpoints. */
  openStore(): Promise<Database>;
  save(): Promise<void>;
  putBack(): Promise<void>;
  tamper(sql: string): Promise<void>;
  remove(): void;
}

const settings = { logName, checkpointIntervalMs: 0 };

export async function embeddedSite(): Promise<Site> {
  const dir = tempDir();
  const directory = join(dir.path, 'data');
  await prepareEmbeddedStore(directory);
  const signerDirectory = join(dir.path, 'signer');
  const copy = (from: string, to: string) => {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true });
  };
  const [live, saved] = [join(directory, 'postgres'), join(dir.path, 'saved')];
  return {
    kind: 'PGlite',
    signerDirectory,
    ownerUrl: undefined,
    open: (options) => AuditService.open({ ...settings, ...options, store: { directory }, signerDirectory }),
    openStore: () => PgliteDatabase.open(directory),
    save: async () => copy(live, saved),
    putBack: async () => copy(saved, live),
    tamper: async (sql) => {
      const database = await PgliteDatabase.open(directory);
      await database.execute(sql);
      await database.close();
    },
    remove: () => dir.remove(),
  };
}

export async function serverSite(): Promise<Site> {
  const dir = tempDir();
  const signerDirectory = join(dir.path, 'signer');
  const shared = await sharedPostgres();
  const { name, url: ownerUrl } = await shared.createDatabase();
  const { login, url } = await createLogin(shared, ownerUrl);
  await migratePostgres(ownerUrl, login);
  const copy = async (from: string, to: string) => {
    await runSql(shared.adminUrl, `drop database if exists ${to}`);
    await runSql(shared.adminUrl, `create database ${to} template ${from}`);
  };
  return {
    kind: 'PostgreSQL',
    signerDirectory,
    ownerUrl,
    open: (options) =>
      AuditService.open({ ...settings, ...options, store: { databaseUrl: url }, signerDirectory }),
    openStore: async () => new PostgresDatabase({ url }),
    save: () => copy(name, `${name}_saved`),
    putBack: () => copy(`${name}_saved`, name),
    tamper: async (sql) => void (await runSql(ownerUrl, sql)),
    remove: () => dir.remove(),
  };
}

/** The kinds of installation, for `describe.each`. */
export const everySite = [
  { kind: 'PGlite', make: embeddedSite },
  { kind: 'PostgreSQL', make: serverSite },
];

/** Opens the service of an installation, works with it, and closes it. */
export async function withService<T>(site: Site, work: (service: AuditService) => Promise<T>): Promise<T> {
  const service = await site.open();
  try {
    return await work(service);
  } finally {
    await service.close();
  }
}
