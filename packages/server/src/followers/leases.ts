import { randomUUID } from 'node:crypto';
import { type Database, writer } from '../store/database.ts';
import { bucketCount, bucketOf } from './buckets.ts';

/** While no replica ran for longer than this, the service counts as having slept, seconds. */
const sleepSeconds = 60;

/**
 * The buckets of tenants that this replica works for. All times are those of the database's clock.
 *
 * A lease only divides the work. What keeps two replicas from doing it twice is the cursor: a replica that was frozen and believes that
 * it still holds a bucket fails at its next compare-and-swap.
 */
export class Leases {
  readonly #database: Database;
  readonly #holder = randomUUID();
  /** Owned by {@link renew} and {@link release}. */
  #held: ReadonlySet<number> = new Set();
  /** When the last renewal began, by the monotonic clock of this process. */
  #renewedAt = Number.NEGATIVE_INFINITY;

  readonly #leaseMs: number;

  /** @param leaseMs how long a lease is valid. It is renewed after a third of this time */
  constructor(database: Database, leaseMs: number) {
    this.#database = database;
    this.#leaseMs = leaseMs;
  }

  /** Whether this replica holds the tenant's bucket, as far as it knows. */
  holds(tenantId: string): boolean {
    return this.#isValid && this.#held.has(bucketOf(tenantId));
  }

  /** The buckets that are held now. */
  get buckets(): number[] {
    return this.#isValid ? [...this.#held] : [];
  }

  get isDue(): boolean {
    return performance.now() - this.#renewedAt > this.#leaseMs / 3;
  }

  /**
   * Renews the leases, takes free ones up to a fair share, and gives up what exceeds it.
   *
   * @returns whether it holds buckets that it did not hold before
   */
  async renew(): Promise<boolean> {
    const startedAt = performance.now();
    const held = await this.#database.transaction(writer, async (session) => {
      const seconds = this.#leaseMs / 1_000;
      await session.pipeline(
        { text: sawReplicaSql, values: [this.#holder, seconds] },
        { text: stayAwakeSql, values: [sleepSeconds] },
      );
      const [{ live }] = (await session.query<{ live: number }>(liveSql)) as [{ live: number }];
      const share = Math.ceil(bucketCount / Math.max(1, live));
      const rows = await session.query<{ bucket: number }>(takeSql, [
        this.#holder,
        seconds,
        share,
        bucketCount,
      ]);
      return new Set(rows.map(({ bucket }) => bucket));
    });
    const isNew = [...held].some((bucket) => !this.#isValid || !this.#held.has(bucket));
    this.#held = held;
    this.#renewedAt = startedAt;
    return isNew;
  }

  /** Gives everything up, so that the other replicas need not wait until the leases expire. */
  async release(): Promise<void> {
    this.#held = new Set();
    await this.#database.transaction(writer, (session) =>
      session.pipeline(
        { text: 'delete from audit_follower_leases where holder = $1::uuid', values: [this.#holder] },
        { text: 'delete from audit_follower_replicas where holder = $1::uuid', values: [this.#holder] },
      ),
    );
  }

  /** A process that was frozen must not trust leases that have expired meanwhile. */
  get #isValid(): boolean {
    return performance.now() - this.#renewedAt < this.#leaseMs;
  }
}

const sawReplicaSql = `
  insert into audit_follower_replicas (holder, expires_at) values ($1::uuid, clock_timestamp() + make_interval(secs => $2))
  on conflict (holder) do update set expires_at = excluded.expires_at`;

const stayAwakeSql = `
  insert into audit_follower_clock as c (awake_since, awake_at) values (clock_timestamp(), clock_timestamp())
  on conflict (one) do update
     set awake_since = case when c.awake_at < clock_timestamp() - make_interval(secs => $1) then clock_timestamp() else c.awake_since end,
         awake_at = clock_timestamp()`;

const liveSql = `
  with gone as (delete from audit_follower_replicas where expires_at < clock_timestamp() - interval '1 minute')
  select count(*)::integer as live from audit_follower_replicas where expires_at > clock_timestamp()`;

// Buckets that are held already come first, so that leases move only when a replica comes or goes. Rows are locked in the order of buckets.
const takeSql = `
  with free as (
    select b as bucket from generate_series(0, $4::integer - 1) as b
     where not exists (select from audit_follower_leases l where l.bucket = b and l.expires_at > clock_timestamp() and l.holder <> $1::uuid)
     order by not exists (select from audit_follower_leases l where l.bucket = b and l.holder = $1::uuid), b limit $3::integer
  ), taken as (
    insert into audit_follower_leases as l (bucket, holder, expires_at)
    select bucket, $1::uuid, clock_timestamp() + make_interval(secs => $2) from free order by bucket
    on conflict (bucket) do update set holder = excluded.holder, expires_at = excluded.expires_at
     where l.holder = excluded.holder or l.expires_at <= clock_timestamp()
    returning bucket
  ), surplus as (
    delete from audit_follower_leases where holder = $1::uuid and bucket not in (select bucket from free)
  )
  select bucket from taken order by bucket`;
