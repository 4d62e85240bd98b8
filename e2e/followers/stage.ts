import { join } from 'node:path';
import { uuidv7 } from '@tallystick/event';
import { AuditService, planRecovery, recoverChain } from '@tallystick/server';
import { migratePostgres } from '@tallystick/server/store';
import { sharedPostgres, tempDir, until } from '@tallystick/testing';
import pg from 'pg';
import type { Random } from '../faults/draw.ts';
import { type ChainRecord, type Expected, expectedOf } from './expected.ts';
import { Replica } from './replica.ts';

const logName = 'audit.followers';
const tenants = Array.from({ length: 6 }, (_, index) => `tenant-${index}`);
const hour = 3_600_000;
/** No grace: an action without an end is due when its deadline has passed. Producers that are silent are waited for. */
const openIntents = { graceMs: 0, silentMs: 2 * hour };

/** A database, a service that chains events and whose followers don't run, and replicas whose followers do. */
export class Stage {
  readonly #directory = tempDir();
  readonly #admin: pg.Client;
  readonly #url: URL;
  readonly #login: string;
  #owner!: pg.Client;
  service!: AuditService;
  readonly replicas: Replica[] = [];
  /** What the comparisons have looked at. */
  readonly counts = { comparisons: 0, records: 0, findings: 0, open: 0 };
  #started = 0;
  /** Ends that are still to be submitted. */
  readonly #pending: { readonly tenant: string; readonly intent: string }[] = [];

  private constructor(admin: pg.Client, url: URL, login: string) {
    this.#admin = admin;
    this.#url = url;
    this.#login = login;
  }

  static async open(replicas = 2): Promise<Stage> {
    const { adminUrl, createDatabase } = await sharedPostgres();
    const { url, name } = await createDatabase();
    const login = `svc_${name}`;
    const admin = new pg.Client({ connectionString: adminUrl });
    await admin.connect();
    await admin.query(`create role ${login} login password 'svc'`);
    await migratePostgres(url, login);
    const stage = new Stage(admin, new URL(url), login);
    await stage.#connect();
    for (let count = 0; count < replicas; count++) await stage.addReplica();
    return stage;
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.kill()));
    await this.service.close();
    await this.#owner.end();
    await this.#admin.query(`drop database if exists ${this.#name} with (force)`);
    await this.#admin.query(`drop database if exists ${this.#name}_backup with (force)`);
    await this.#admin.end();
    this.#directory.remove();
  }

  async addReplica(): Promise<Replica> {
    const dir = join(this.#directory.path, `replica-${++this.#started}`);
    const replica = await Replica.start(dir, this.#config);
    this.replicas.push(replica);
    return replica;
  }

  /** Removes a replica that has ended or that the round ends, and starts another one. */
  async replace(replica: Replica): Promise<void> {
    await replica.kill();
    this.replicas.splice(this.replicas.indexOf(replica), 1);
    await this.addReplica();
  }

  /** Intents, ends, ends whose intent comes later, ends without an intent, and intents that nothing follows. */
  async traffic(random: Random): Promise<void> {
    const events: object[] = [];
    for (const { tenant, intent } of this.#pending.splice(0)) events.push(end(tenant, intent));
    for (const tenant of tenants) {
      for (let count = random(1, 6); count > 0; count--) {
        const id = uuidv7();
        const kind = random(0, 5);
        if (kind === 0) events.push(end(tenant, id));
        else if (kind === 1) events.push(intended(tenant, id, 0));
        else if (kind === 2) events.push(end(tenant, id), intended(tenant, id, hour));
        else {
          events.push(intended(tenant, id, hour));
          if (kind === 3) this.#pending.push({ tenant, intent: id });
          else if (kind === 4) events.push(end(tenant, id), end(tenant, id));
        }
      }
    }
    await this.submit(events);
  }

  async submit(
    events: readonly object[],
    delivery?: { producer_id: string; sequences: readonly number[] },
  ): Promise<void> {
    const texts = events.map((event) => JSON.stringify(event));
    const results = await this.service.submit({
      events: texts,
      source: 'followers-test',
      trust: 'operator',
      ...(delivery !== undefined && { delivery }),
    });
    for (const result of results) if (!('receipt' in result)) throw new Error(JSON.stringify(result.error));
  }

  /** Waits until the follower has read every chain and nothing is due, and compares its rows with the chains. */
  async settle(): Promise<void> {
    await until(async () => (await this.asOwner(unsettledSql)).length === 0, {
      timeoutMs: 90_000,
      intervalMs: 50,
      what: 'a follower that has read everything',
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${this.replicas.map(({ log }) => log.slice(-2_000)).join('\n')}`);
    });
    const { expected, rows } = await this.#compare();
    if (expected.repeated.length > 0) throw new Error(`on record twice: ${expected.repeated.join(', ')}`);
    const missing = expected.open.filter((each) => !rows.includes(each));
    const surplus = rows.filter((each) => !expected.open.includes(each));
    if (missing.length > 0 || surplus.length > 0)
      throw new Error(`rows that are missing: ${missing.join(', ')}; rows too many: ${surplus.join(', ')}`);
  }

  /** The rows of the follower, and what they must be, in one snapshot. */
  async #compare(): Promise<{ readonly expected: Expected; readonly rows: readonly string[] }> {
    await this.#owner.query('begin isolation level repeatable read read only');
    try {
      const records = await this.asOwner<ChainRecord>(recordsSql);
      const rows = await this.asOwner<{ row: string }>(rowsSql);
      const expected = expectedOf(records);
      this.counts.comparisons++;
      this.counts.records = records.length;
      this.counts.findings = records.filter(({ event_type }) =>
        /unresolved|unexplained/.test(event_type),
      ).length;
      this.counts.open = expected.open.length;
      return { expected, rows: rows.map(({ row }) => row).sort() };
    } finally {
      await this.#owner.query('commit');
    }
  }

  /** Copies the database, chains and signs more, and puts the copy in its place. Then new epochs are opened. */
  async restoreBackup(random: Random): Promise<void> {
    await this.settle();
    await this.#disconnect();
    await this.#admin.query(`drop database if exists ${this.#name}_backup`);
    await this.#admin.query(`create database ${this.#name}_backup template ${this.#name}`);
    await this.#connect();
    await this.addReplica();
    await this.traffic(random);
    await this.settle();
    await this.#sign();
    await this.#disconnect();
    await this.#admin.query(`drop database ${this.#name}`);
    await this.#admin.query(`alter database ${this.#name}_backup rename to ${this.#name}`);
    await this.#connect();
    const recoveries = await planRecovery(this.service);
    if (recoveries.length === 0) throw new Error('the restore of an older backup was not noticed');
    for (const plan of recoveries) await recoverChain(this.service, plan, 'the campaign restored a backup');
    // A service that was open before the recovery still holds the chain for stopped.
    await this.service.close();
    await this.#openService();
    for (let count = 0; count < 2; count++) await this.addReplica();
  }

  async asOwner<R extends object>(sql: string, values: unknown[] = []): Promise<R[]> {
    return (await this.#owner.query<R>(sql, values)).rows;
  }

  get #name(): string {
    return this.#url.pathname.slice(1);
  }

  get #config() {
    const url = new URL(this.#url);
    [url.username, url.password] = [this.#login, 'svc'];
    const signerDirectory = join(this.#directory.path, 'signer');
    return { databaseUrl: url.href, signerDirectory, logName, openIntents };
  }

  async #connect(): Promise<void> {
    this.#owner = new pg.Client({ connectionString: this.#url.href });
    await this.#owner.connect();
    await this.#openService();
  }

  async #openService(): Promise<void> {
    const { databaseUrl, signerDirectory } = this.#config;
    this.service = await AuditService.open({
      store: { databaseUrl },
      signerDirectory,
      logName,
      openIntents,
      followers: false,
      checkpointIntervalMs: 0,
      approvalIntervalMs: 0,
    });
  }

  /** Ends every connection to the database: a template may have none. */
  async #disconnect(): Promise<void> {
    await Promise.all(this.replicas.splice(0).map((replica) => replica.kill()));
    await this.service.close();
    await this.#owner.end();
    const others = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1';
    await until(async () => (await this.#admin.query(others, [this.#name])).rowCount === 0, {
      timeoutMs: 30_000,
    });
  }

  async #sign(): Promise<void> {
    await this.service.logs.checkpointer.checkpointAll((_, error) => {
      throw error;
    });
  }
}

function common(tenant_id: string) {
  return {
    tenant_id,
    timestamp: new Date().toISOString(),
    actor_type: 'agent',
    actor_id: 'bot',
    source_service: 'followers-test',
  };
}

/** @param ms how long its effect may take */
export function intended(tenant: string, audit_id: string, ms: number): object {
  const fields = common(tenant);
  const deadline = new Date(Date.parse(fields.timestamp) + ms).toISOString();
  return {
    ...fields,
    audit_id,
    event_type: 'agent.action.intended',
    context: { action: 'refund', deadline },
  };
}

export function end(tenant: string, parent_id: string): object {
  return { ...common(tenant), audit_id: uuidv7(), event_type: 'agent.action.completed', parent_id };
}

const unsettledSql = `
  select h.tenant_id from audit_chain_state h
    left join audit_followers f on f.name = 'open-intents'
    left join audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = h.tenant_id
   where h.last_sequence >= 0
     and (f.name is null or f.building is not null or c.stopped_code is not null
          or (c.epoch, c.sequence_number) is distinct from (h.epoch, h.last_sequence))
  union all
  select i.tenant_id from audit_open_intents i join audit_followers f on f.name = 'open-intents' and f.generation = i.generation
   where i.ready_epoch is not null or (i.producer_id is null and i.check_at <= clock_timestamp() + interval '1 second')`;

const recordsSql = `
  select r.tenant_id, r.audit_id::text, r.event_type, r.record::jsonb -> 'event' ->> 'parent_id' as parent_id,
         r.record::jsonb -> 'event' ->> 'target_id' as target_id
    from audit_records r
    join audit_chain_ranges g on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.event_type like 'agent.%' order by r.tenant_id, r.epoch, r.sequence_number`;

const rowsSql = `
  select i.tenant_id || '/' || i.intent_id || '/' || i.state as row
    from audit_open_intents i join audit_followers f on f.name = 'open-intents' and f.generation = i.generation`;
