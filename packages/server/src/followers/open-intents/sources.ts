import { placeOfMessage } from '../../chain/source-position.ts';
import type { Queries } from '../../store/database.ts';
import { partitionOfTenant } from './tenant-partition.ts';

/** How long the service waits for what may still come. */
export interface Patience {
  /** How long an intent has that names no deadline, or waits for an approval that the service can't see, ms. */
  readonly timeoutMs: number;
  /** How long after its deadline an end may still arrive, ms. */
  readonly graceMs: number;
  /** A producer that has sent nothing for this long counts as ended, ms. It must be longer than an outage that spools outlast. */
  readonly silentMs: number;
}

/** A row that is due, as far as its sources are concerned. Times are ms since the epoch, by the clock of the database. */
export interface DueRow {
  readonly tenant_id: string;
  readonly intent_id: string;
  readonly state: 'open' | 'early';
  readonly deadline: number;
  readonly ingested_at: number;
  readonly source: string;
  readonly submitter: string;
  readonly producer_id: string | null;
  readonly producer_seq: number | null;
  readonly passed_seq: number | null;
}

interface PartitionRow {
  readonly cluster_id: string;
  readonly topic_id: string;
  readonly topic: string;
  readonly partition: number;
  readonly checked_at: number;
  readonly drained_at: number | null;
  readonly added_at: number | null;
}

interface AccountRow {
  readonly submitter: string;
  readonly producer_id: string;
  readonly tenant_id: string;
  readonly settled_to: number;
  readonly top: number;
  readonly final_seq: number | null;
  readonly last_seen_at: number;
}

/** All that is known of the sources at one moment. */
export interface SourceStates {
  /** The clock of the database. */
  readonly now: number;
  /** Since when the service has been running without a break, in any replica. Before, nothing could arrive. */
  readonly awakeSince: number;
  readonly partitions: readonly PartitionRow[];
  readonly accounts: ReadonlyMap<string, AccountRow>;
}

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;

export async function readSources(session: Queries, rows: readonly DueRow[]): Promise<SourceStates> {
  const [clock] = await session.query<{ now: number; awake_since: number }>(
    `select ${ms('clock_timestamp()')} as now, ${ms('awake_since')} as awake_since from audit_follower_clock`,
  );
  const partitions = await session.query<PartitionRow>(
    `select cluster_id, topic_id, topic, partition, ${ms('checked_at')} as checked_at, ${ms('drained_at')} as drained_at,
            ${ms('added_at')} as added_at
       from audit_source_positions where checked_at is not null`,
  );
  const keys = rows.filter(({ producer_id }) => producer_id !== null);
  const accounts = await session.query<AccountRow>(
    `select submitter, producer_id::text, tenant_id, settled_to, greatest(highest_seen, coalesce(final_seq, 0)) as top, final_seq,
            ${ms('last_seen_at')} as last_seen_at
       from audit_producers
      where (submitter, producer_id, tenant_id) in (select * from unnest($1::text[], $2::uuid[], $3::text[]))`,
    [
      keys.map(({ submitter }) => submitter),
      keys.map(({ producer_id }) => producer_id),
      keys.map(({ tenant_id }) => tenant_id),
    ],
  );
  return {
    now: clock?.now ?? 0,
    awakeSince: clock?.awake_since ?? Number.POSITIVE_INFINITY,
    partitions,
    accounts: new Map(accounts.map((account) => [keyOf(account), account])),
  };
}

/**
 * Whether everything has arrived that could still bring the end of an intent, or the intent of an end:
 *
 * 1. The grace time has passed since the deadline, and the service was there to receive something.
 * 2. Every partition that holds messages of the tenant was read to its end after that.
 * 3. The producer has nothing left. Its account says so if it is closed without an open number, or if all its numbers are settled up to an
 *    event that it emitted after the deadline: a spool sends in the order of emission. What is in a spool that has not begun to send is
 *    unknown to the service, so a producer that is neither counts as ended only when it has been silent for long.
 */
export function haveCaughtUp(row: DueRow, states: SourceStates, patience: Patience): boolean {
  const { now, awakeSince } = states;
  const since = Math.max(row.deadline, awakeSince) + patience.graceMs;
  return (
    now >= since &&
    partitionsAreDrained(row, states, since, patience) &&
    producerHasNothingLeft(row, states, patience)
  );
}

function partitionsAreDrained(
  { tenant_id, source, ingested_at }: DueRow,
  { now, awakeSince, partitions }: SourceStates,
  since: number,
  { silentMs }: Patience,
): boolean {
  // A topic that no replica has looked at for long was deleted, or is read no more.
  const live = partitions.filter(({ checked_at }) => now - Math.max(checked_at, awakeSince) < silentMs);
  const origin = placeOfMessage(source);
  for (const [, topic] of Map.groupBy(live, ({ cluster_id, topic_id }) => `${cluster_id}/${topic_id}`)) {
    const count = Math.max(...topic.map(({ partition }) => partition)) + 1;
    const own = partitionOfTenant(tenant_id, count);
    // When a topic grows, tenants move to other partitions, and the old ones may still hold something.
    const hasGrown = topic.some(({ added_at }) => (added_at ?? 0) > ingested_at);
    const isConcerned = ({ partition, topic: name }: PartitionRow) =>
      hasGrown || partition === own || (origin?.topic === name && origin.partition === partition);
    if (topic.some((each) => isConcerned(each) && (each.drained_at ?? 0) < since)) return false;
  }
  return true;
}

function producerHasNothingLeft(
  row: DueRow,
  { now, awakeSince, accounts }: SourceStates,
  { silentMs }: Patience,
): boolean {
  // A producer without numbers sends by itself, and the grace time has passed. An account that was pruned was complete.
  if (row.producer_id === null || row.producer_seq === null) return true;
  const account = accounts.get(keyOf({ ...row, producer_id: row.producer_id }));
  if (account === undefined) return true;
  const { settled_to, top, final_seq, last_seen_at } = account;
  // Everything that the producer emitted before its end was numbered before it.
  if (row.state === 'early' && settled_to >= row.producer_seq) return true;
  if (row.passed_seq !== null && settled_to >= row.passed_seq) return true;
  if (final_seq !== null && final_seq >= top && settled_to >= top) return true;
  return now - Math.max(last_seen_at, awakeSince) > silentMs;
}

function keyOf({
  submitter,
  producer_id,
  tenant_id,
}: Pick<AccountRow, 'submitter' | 'producer_id' | 'tenant_id'>): string {
  return `${submitter}\n${producer_id}\n${tenant_id}`;
}
