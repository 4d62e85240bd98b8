import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { uuidv7 } from '@tallystick/event';
import { importSigningKey, type SigningKey } from '@tallystick/log';
import { AuditService, planBundle, streamBundle, Trail } from '@tallystick/server';
import { migratePostgres, PgliteDatabase, type Queries } from '@tallystick/server/store';
import { prepareEmbeddedStore, sharedPostgres, tempDir } from '@tallystick/testing';
import { type Report, type VerifyStoreOptions, verifyStore } from '@tallystick/verify';
import pg from 'pg';

export const logName = 'tamper.example.com';
/** The tenant under attack. Its chain has 300 records, with one full tile and checkpoints at 100 and 290. The last ten are not signed. */
export const acme = 'acme';
/** Another tenant. An attacker may copy its records. */
export const globex = 'globex';
/** A tenant with more records than the verifier reads at a time. */
export const large = 'large';
export const largeSize = 2_100;

/** A trail that the service wrote, with full access to its database. */
export interface WrittenTrail {
  readonly keys: { readonly [tenant: string]: string };
  /** The newest checkpoint of each tenant, as an auditor kept it. */
  readonly notes: { readonly [tenant: string]: string };
  /** The signing key, for attackers who have stolen it. */
  readonly stolenKey: SigningKey;
  /** Whole chains as the service exports them. */
  readonly bundles: { readonly [tenant: string]: Buffer };
  /**
   * Runs an attack as the owner of the database, with all triggers disabled. Verifies the result, and then undoes the attack.
   *
   * @param options of the verification. By default it verifies acme, with its key and without a kept checkpoint.
   */
  after(
    crime: (session: Queries) => Promise<unknown>,
    options?: Partial<VerifyStoreOptions>,
  ): Promise<Report>;
  close(): Promise<void>;
}

interface Owner {
  /** One transaction as the owner, rolled back at its end. */
  undone<T>(work: (session: Queries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param more tenants beside the one under attack and its neighbour, each with {@link largeSize} records */
export async function embeddedTrail(more: readonly string[]): Promise<WrittenTrail> {
  const dir = tempDir();
  const directory = join(dir.path, 'data');
  await prepareEmbeddedStore(directory);
  const written = await write({ store: { directory }, signerDirectory: join(dir.path, 'signer') }, more);
  const database = await PgliteDatabase.open(directory);
  return trailOf(written, {
    undone: async (work) => {
      let result: { readonly value: Awaited<ReturnType<typeof work>> } | undefined;
      const undo = new Error('undo');
      await database
        .asOwner(async (session) => {
          result = { value: await work(session) };
          throw undo;
        })
        .catch((error: unknown) => {
          if (error !== undo) throw error;
        });
      return result!.value;
    },
    close: async () => {
      await database.close();
      dir.remove();
    },
  });
}

export async function serverTrail(more: readonly string[]): Promise<WrittenTrail> {
  const dir = tempDir();
  const { createDatabase } = await sharedPostgres();
  const { url: ownerUrl } = await createDatabase();
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  const session: Queries = {
    query: async <R extends object>(sql: string, parameters?: readonly unknown[]) =>
      (await owner.query(sql, parameters as unknown[] | undefined)).rows as R[],
  };
  // A login that owns nothing. Its name is random, because all databases of the server share their logins.
  const databaseUrl = new URL(ownerUrl);
  databaseUrl.username = `tamper_${randomBytes(6).toString('hex')}`;
  databaseUrl.password = randomBytes(12).toString('hex');
  await session.query(`create role ${databaseUrl.username} login password '${databaseUrl.password}'`);
  await migratePostgres(ownerUrl, databaseUrl.username);
  const place = { store: { databaseUrl: databaseUrl.href }, signerDirectory: join(dir.path, 'signer') };
  const written = await write(place, more);
  return trailOf(written, {
    undone: async (work) => {
      await session.query('begin');
      try {
        return await work(session);
      } finally {
        await session.query('rollback');
      }
    },
    close: async () => {
      await owner.end();
      dir.remove();
    },
  });
}

function trailOf(written: Awaited<ReturnType<typeof write>>, owner: Owner): WrittenTrail {
  return {
    ...written,
    after: (crime, options = {}) =>
      owner.undone(async (session) => {
        await session.query('set local session_replication_role = replica');
        await crime(session);
        const tenantId = options.tenantId ?? acme;
        return await verifyStore((sql, parameters) => session.query(sql, parameters), {
          tenantId,
          logName,
          keys: [written.keys[tenantId]!],
          ...options,
        });
      }),
    close: () => owner.close(),
  };
}

async function write(
  place: Pick<Parameters<typeof AuditService.open>[0], 'store' | 'signerDirectory'>,
  more: readonly string[],
) {
  // The field index would follow the chain at its own pace, and each attack would be found there or not. Its own tests attack it.
  const service = await AuditService.open({ ...place, logName, checkpointIntervalMs: 0, followers: false });
  const emit = async (tenantId: string, from: number, to: number) => {
    for (let at = from; at < to; at += 500) {
      const length = Math.min(500, to - at);
      const events = Array.from({ length }, (_, number) => eventOf(tenantId, at + number));
      const results = await service.submit({ events, source: 'test', trust: 'operator' });
      if (results.some(({ status }) => status !== 'chained')) throw new Error('not everything was chained');
    }
  };
  try {
    await emit(acme, 1, 100);
    await service.logs.checkpoint(acme);
    await emit(acme, 100, 290);
    await emit(globex, 1, 20);
    for (const tenant of more) await emit(tenant, 1, largeSize);
    const notes: Record<string, string> = {};
    const keys: Record<string, string> = {};
    for (const tenant of [acme, globex, ...more]) {
      notes[tenant] = (await service.logs.checkpoint(tenant)).note;
      keys[tenant] = (await service.logs.verifierKeys(tenant))[0]!.key;
    }
    await emit(acme, 290, 300);
    const trail = new Trail(service.database);
    const bundles: Record<string, Buffer> = {};
    for (const tenantId of [globex, ...more]) {
      const chunks: Buffer[] = [];
      const plan = await planBundle(service, trail, { tenantId });
      for await (const chunk of streamBundle(service, trail, plan)) chunks.push(chunk);
      bundles[tenantId] = Buffer.concat(chunks);
    }
    const stolenKey = await importSigningKey(service.signer.store.currentSeed()!);
    return { keys, notes, stolenKey, bundles };
  } finally {
    await service.close();
  }
}

/** An event with a value in every indexed column. */
function eventOf(tenantId: string, number: number): string {
  return JSON.stringify({
    audit_id: uuidv7(),
    tenant_id: tenantId,
    timestamp: `2026-03-01T12:00:00.${String(number % 1_000).padStart(3, '0')}Z`,
    event_type: 'response.executed',
    event_category: 'action',
    severity: 'warning',
    actor_type: 'agent',
    actor_id: `agent-${number % 7}`,
    target_type: 'host',
    target_id: `host-${number}`,
    investigation_id: `inv-${number % 5}`,
    alert_id: `alert-${number}`,
    correlation_id: `corr-${number % 9}`,
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    outcome: { outcome_status: 'success' },
    source_service: 'response',
    is_sensitive: number % 2 === 1,
    context: { note: 'ünïcode \u{1f600}', number },
  });
}
