/** The statements of the relay. Each of them is one transaction of its own. */
import { type OutboxTables, outboxTables } from './schema.ts';
import { rowsOf, type SqlClient } from './sql-client.ts';

/** An event that waits for its delivery. */
export interface WaitingEvent {
  /** Ascending in the order in which events were written. */
  readonly position: string;
  readonly audit_id: string;
  readonly tenant_id: string;
  readonly event_type: string;
  readonly event: string;
}

/** An event that will never be accepted, and why. */
export interface Refusal {
  readonly position: string;
  readonly reason: string;
}

/** What the tables of an outbox contain. */
export interface OutboxContents {
  /** Events that wait, counted up to 100,000. */
  readonly waiting: number;
  /** How long the oldest of them has waited, in seconds. */
  readonly lagSeconds: number;
  /** Dead letters, counted up to 100,000. */
  readonly deadLetters: number;
}

const maxCounted = 100_000;

export class OutboxStore {
  readonly tables: OutboxTables;
  readonly #db: SqlClient;

  constructor(db: SqlClient, schema: string | undefined) {
    this.#db = db;
    this.tables = outboxTables({ schema });
  }

  /**
   * The first events, if this relay has the lease or can take it. An expired lease can be taken. The lease is not needed for
   * correctness, since the service recognises events that two relays send. It keeps the order and avoids double work.
   */
  claim(
    holder: string,
    leaseMs: number,
    maxEvents: number,
    maxBytes: number,
  ): Promise<readonly WaitingEvent[]> {
    const { waiting, lease } = this.tables;
    // Without waiting events, the lease is not renewed: an idle relay writes nothing.
    const text = `with held as (
  update ${lease} set holder = $1::uuid, expires_at = clock_timestamp() + $2::int * interval '1 millisecond'
  where (holder = $1::uuid or expires_at < clock_timestamp()) and exists (select from ${waiting})
  returning id
), first as (
  select * from ${waiting} order by position limit $3::int
)
select position::text as position, audit_id::text as audit_id, tenant_id, event_type, event
from (select *, sum(octet_length(event)) over (order by position) - octet_length(event) as before from first) as sized
where before < $4::int and exists (select from held)
order by sized.position`;
    return rowsOf<WaitingEvent>(this.#db, text, [holder, leaseMs, maxEvents, maxBytes]);
  }

  /**
   * Removes events whose outcome is known, and keeps the refused ones as dead letters.
   *
   * A crash before this call delivers the events again, and the service recognises them.
   */
  async settle(positions: readonly string[], refusals: readonly Refusal[]): Promise<void> {
    const { waiting, deadLetters } = this.tables;
    const text = `with settled as (
  delete from ${waiting}
  where position = any (array(select value::bigint from json_array_elements_text($1::json) as listed (value)))
  returning *
)
insert into ${deadLetters} (position, created_at, audit_id, tenant_id, event_type, event, reason)
select settled.position, created_at, audit_id, tenant_id, event_type, event, refused ->> 1
from settled join json_array_elements($2::json) as given (refused) on settled.position = (refused ->> 0)::bigint
on conflict (position) do nothing`;
    const refused = refusals.map(({ position, reason }) => [position, reason]);
    await rowsOf(this.#db, text, [JSON.stringify(positions), JSON.stringify(refused)]);
  }

  /** Lets another relay begin at once. */
  async release(holder: string): Promise<void> {
    const text = `update ${this.tables.lease} set holder = null, expires_at = '-infinity' where holder = $1::uuid`;
    await rowsOf(this.#db, text, [holder]);
  }

  async contents(): Promise<OutboxContents> {
    const { waiting, deadLetters } = this.tables;
    const text = `select
  (select count(*)::int from (select from ${waiting} limit ${maxCounted}) as counted) as waiting,
  (select count(*)::int from (select from ${deadLetters} limit ${maxCounted}) as counted) as dead,
  coalesce((select extract(epoch from clock_timestamp() - created_at) from ${waiting} order by position limit 1), 0)::float8 as lag`;
    const [row] = await rowsOf<{ waiting: number; dead: number; lag: number }>(this.#db, text, []);
    return {
      waiting: Number(row!.waiting),
      deadLetters: Number(row!.dead),
      lagSeconds: Math.max(0, Number(row!.lag)),
    };
  }
}
