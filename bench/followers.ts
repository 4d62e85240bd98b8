import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { AuditService, type AuditServiceOptions } from '@tallystick/server';
import { type Postgres, startPostgres, tempDir, until } from '@tallystick/testing';
import pg from 'pg';
import { median, type Result } from './result.ts';
import { sampleEvent } from './sample-event.ts';
import { openStore } from './store.ts';

const idleTenants = 100_000;
/** The heads and cursors are compared once in this time, as in the product. */
const idleMs = 60_000;
const ratePerSecond = 5_000;
const lagSeconds = 15;
const busyTenants = 50;
const rounds = 5;
/** How long clients send as fast as they can. */
const sustainSeconds = 30;
const logName = 'bench.local';

/**
 * What followers cost: with 100,000 tenants of which none has new records, beside ten such tenants; how far they are behind at 5,000
 * events/s; the writer's throughput with and without them, in turns; and how many events are chained and followed per second when clients send as
 * fast as they can.
 */
export async function run(): Promise<Result[]> {
  const postgres = await startPostgres({
    settings: { max_wal_size: '4GB', checkpoint_timeout: '30min' },
  });
  try {
    const few = await idle(postgres, 10);
    const many = await idle(postgres, idleTenants);
    const lags = await lag(postgres);
    const { beside, alone } = await throughput(postgres);
    const sustained = await sustain(postgres);
    const ratio = median(beside.map((rate, at) => rate / alone[at]!));
    return [
      compared(
        `followers: processor time per minute, ${idleTenants} idle tenants`,
        many.serviceMs,
        few.serviceMs,
        'ms',
      ),
      compared('followers: processor time of PostgreSQL per minute', many.postgresMs, few.postgresMs, 'ms'),
      compared('followers: transactions per second', many.transactions, few.transactions, '1/s'),
      compared('followers: memory of the service', many.megabytes, few.megabytes, 'MB'),
      plain(`followers: lag at ${ratePerSecond} events/s, p50`, quantile(lags, 0.5), 'ms'),
      plain(`followers: lag at ${ratePerSecond} events/s, p99`, quantile(lags, 0.99), 'ms'),
      {
        ...compared(
          'followers: events/s of the writer beside followers',
          median(beside),
          median(alone),
          'events/s',
        ),
        ratio: Number(ratio.toFixed(3)),
      },
      plain('followers: events/s chained while followers run', sustained.chained, 'events/s'),
      plain('followers: events/s chained and followed by all, sustained', sustained.followed, 'events/s'),
      plain(
        `followers: records behind after ${sustainSeconds} s, slowest follower`,
        sustained.behind,
        'records',
      ),
      plain(
        `followers: lag after ${sustainSeconds} s, until the slowest follower caught up`,
        sustained.lagMs,
        'ms',
      ),
      ...sustained.each.map(({ follower, rate: own }) =>
        plain(`followers: events/s followed by ${follower}`, own, 'events/s'),
      ),
    ];
  } finally {
    await postgres.stop();
  }
}

interface IdleCost {
  readonly serviceMs: number;
  readonly postgresMs: number;
  readonly transactions: number;
  readonly megabytes: number;
}

/** The cost of followers that have nothing to do, in a minute with one comparison of heads and cursors. */
async function idle(postgres: Postgres, tenants: number): Promise<IdleCost> {
  return await withService(postgres, {}, async (service, owner) => {
    await service.followers!.round();
    await owner.query(
      `insert into audit_chain_state (tenant_id, epoch, last_sequence, last_hash, last_ingested_at, frontier)
       select 'idle-' || n, 1, 9, sha256(n::text::bytea), clock_timestamp(), ''::bytea from generate_series(1, $1::integer) n`,
      [tenants],
    );
    await owner.query(
      `insert into audit_follower_cursors (follower, generation, tenant_id, epoch, sequence_number, record_hash)
       select 'open-intents', 1, tenant_id, epoch, last_sequence, last_hash from audit_chain_state on conflict do nothing`,
    );
    await owner.query('vacuum analyze audit_chain_state, audit_follower_cursors');
    service.followers!.mergeSoon();
    await service.followers!.round();
    globalThis.gc?.();
    const before = await usage(postgres, owner);
    // So that exactly one comparison is in the minute.
    service.followers!.mergeSoon();
    await pause(idleMs);
    const after = await usage(postgres, owner);
    const minutes = idleMs / 60_000;
    return {
      serviceMs: (after.serviceMs - before.serviceMs) / minutes,
      postgresMs: (after.postgresMs - before.postgresMs) / minutes,
      transactions: (after.transactions - before.transactions) / (idleMs / 1_000),
      megabytes: after.megabytes,
    };
  });
}

async function usage(postgres: Postgres, owner: pg.Client) {
  const { user, system } = process.cpuUsage();
  const { rows } = await owner.query<{ transactions: string; pids: number[] }>(
    `select xact_commit + xact_rollback as transactions, (select array_agg(pid) from pg_stat_activity) as pids
       from pg_stat_database where datname = current_database()`,
  );
  const pids = [postgres.pid, ...rows[0]!.pids];
  return {
    serviceMs: (user + system) / 1_000,
    postgresMs: pids.reduce((sum, pid) => sum + processorMs(pid), 0),
    transactions: Number(rows[0]!.transactions),
    megabytes: process.memoryUsage().rss / 2 ** 20,
  };
}

/** Processor time of a process of this Linux machine, in the hundredths of a second that /proc counts; 0 if it is gone. */
function processorMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

/** How long after its commit each batch was applied, ms. */
async function lag(postgres: Postgres): Promise<number[]> {
  return await withService(postgres, {}, async (service, owner) => {
    // It takes the leases.
    await service.followers!.round();
    const waiting: { tenant: string; sequence: number; at: number }[] = [];
    const lags: number[] = [];
    const perBatch = ratePerSecond / busyTenants;
    const end = performance.now() + lagSeconds * 1_000;
    let ended = false;
    const watching = (async () => {
      while (!ended || waiting.length > 0) {
        const { rows } = await owner.query<{ tenant_id: string; sequence_number: string }>(
          "select tenant_id, sequence_number from audit_follower_cursors where follower = 'open-intents'",
        );
        const now = performance.now();
        const read = new Map(rows.map((row) => [row.tenant_id, Number(row.sequence_number)]));
        for (const each of waiting.splice(0)) {
          if ((read.get(each.tenant) ?? -1) >= each.sequence) lags.push(now - each.at);
          else waiting.push(each);
        }
        await pause(5);
      }
    })();
    const began = performance.now();
    for (let batch = 0; performance.now() < end; batch++) {
      const tenant = `busy-${batch % busyTenants}`;
      const results = await service.submit({
        events: batchOf(tenant, perBatch),
        source: 'bench',
        trust: 'operator',
      });
      const last = results.at(-1)!;
      if ('receipt' in last)
        waiting.push({ tenant, sequence: last.receipt.sequence_number, at: performance.now() });
      const due = began + ((batch + 1) * perBatch * 1_000) / ratePerSecond;
      await pause(Math.max(0, due - performance.now()));
    }
    ended = true;
    await watching;
    return lags;
  });
}

/**
 * Events per second of two clients, beside followers and without them. They take turns, and the one that begins changes. What followers
 * have left is read before the other one's turn.
 */
async function throughput(postgres: Postgres): Promise<{ beside: number[]; alone: number[] }> {
  const beside: number[] = [];
  const alone: number[] = [];
  await withService(postgres, {}, async (followed, owner) => {
    await followed.followers!.round();
    await withService(postgres, { followers: false }, async (unfollowed) => {
      const turns = [
        async () => {
          beside.push(await rate(followed));
          await caughtUp(owner);
        },
        async () => void alone.push(await rate(unfollowed)),
      ];
      for (let round = 0; round <= rounds; round++) {
        for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
      }
    });
  });
  // The first turns warm up.
  beside.shift();
  alone.shift();
  return { beside, alone };
}

interface Sustained {
  /** Events per second that were chained while the clients sent. */
  readonly chained: number;
  /** Events per second, until every follower had read the last one. */
  readonly followed: number;
  /** Records that the slowest follower had not read when the clients ended. */
  readonly behind: number;
  /** How long it took to read them. */
  readonly lagMs: number;
  readonly each: readonly { readonly follower: string; readonly rate: number }[];
}

/** Two clients send batches as fast as they can, and all followers of the service run. */
async function sustain(postgres: Postgres): Promise<Sustained> {
  return await withService(postgres, {}, async (service, owner) => {
    await service.followers!.round();
    let count = 0;
    const began = performance.now();
    const client = async () => {
      while (performance.now() - began < sustainSeconds * 1_000) {
        const events = batchOf(`busy-${(count / 1_000) % 4}`, 1_000);
        count += events.length;
        await service.submit({ events, source: 'bench', trust: 'operator' });
      }
    };
    await Promise.all([client(), client()]);
    const ended = performance.now();
    const followed = new Map(
      (await behindOf(owner)).map(({ follower, behind }) => [follower, count - behind]),
    );
    const behind = count - Math.min(...followed.values());
    const seconds = (ended - began) / 1_000;
    await caughtUp(owner);
    const done = performance.now();
    return {
      chained: count / seconds,
      followed: (count * 1_000) / (done - began),
      behind,
      lagMs: done - ended,
      each: [...followed].map(([follower, records]) => ({ follower, rate: records / seconds })),
    };
  });
}

/** How many records each follower has not read. */
async function behindOf(owner: pg.Client): Promise<{ follower: string; behind: number }[]> {
  const { rows } = await owner.query<{ follower: string; behind: string }>(
    `select f.name as follower, sum(h.last_sequence - coalesce(c.sequence_number, -1)) as behind
       from audit_followers f
      cross join audit_chain_state h
       left join audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = h.tenant_id
      group by f.name order by f.name`,
  );
  return rows.map(({ follower, behind }) => ({ follower, behind: Number(behind) }));
}

async function caughtUp(owner: pg.Client): Promise<void> {
  await until(async () => (await behindOf(owner)).every(({ behind }) => behind === 0), {
    timeoutMs: 300_000,
    intervalMs: 50,
  });
}

async function rate(service: AuditService): Promise<number> {
  const size = 1_000;
  const batches = Array.from({ length: 20 }, (_, at) => batchOf(`busy-${at % 4}`, size));
  const count = batches.length * size;
  globalThis.gc?.();
  const began = performance.now();
  const client = async () => {
    for (let events = batches.shift(); events !== undefined; events = batches.shift())
      await service.submit({ events, source: 'bench', trust: 'operator' });
  };
  await Promise.all([client(), client()]);
  return (count * 1_000) / (performance.now() - began);
}

function batchOf(tenant: string, size: number): string[] {
  return Array.from({ length: size }, () => JSON.stringify(sampleEvent(tenant)));
}

async function withService<T>(
  postgres: Postgres,
  options: Pick<AuditServiceOptions, 'followers'>,
  work: (service: AuditService, owner: pg.Client) => Promise<T>,
): Promise<T> {
  using signer = tempDir();
  const databaseUrl = await openStore(postgres);
  const ownerUrl = new URL(postgres.adminUrl);
  ownerUrl.pathname = new URL(databaseUrl).pathname;
  const owner = new pg.Client(ownerUrl.href);
  await owner.connect();
  const service = await AuditService.open({
    store: { databaseUrl },
    signerDirectory: signer.path,
    logName,
    checkpointIntervalMs: 0,
    approvalIntervalMs: 0,
    ...options,
  });
  try {
    return await work(service, owner);
  } finally {
    await service.close();
    await owner.end();
  }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!;
}

function plain(name: string, value: number, unit: string): Result {
  return { name, value: Number(value.toFixed(1)), unit, baseline: null, ratio: null, goal: null, pass: null };
}

function compared(name: string, value: number, baseline: number, unit: string): Result {
  return {
    ...plain(name, value, unit),
    baseline: Number(baseline.toFixed(1)),
    ratio: Number((value / baseline).toFixed(3)),
  };
}
