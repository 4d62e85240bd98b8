import type { EventFilters } from '@tallystick/event';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { monthStart } from '../../src/store/partitions.ts';
import { ChainMonths } from '../../src/trail/chain-months.ts';
import { Trail } from '../../src/trail/trail.ts';
import { newTenant } from '../events.ts';
import { onEachStore, type TestStore } from '../stores.ts';

/**
 * Records are partitioned by month, and statements only look at the months that a range of the chain lies in. Nothing may be missed
 * because of that: here a chain of ten months is listed with every kind of filter, and each page is compared with what it must have.
 */
const months = 10;
const perMonth = 12;
const hourMs = 3_600_000;

interface Made {
  readonly chained: number;
  readonly happened: number;
  readonly type: string;
  readonly severity: string;
}

/** Begins a month ago, because earlier partitions don't exist. The fifth month has no records. */
function madeRecords(): Made[] {
  const first = new Date(monthStart(monthStart(Date.now()) - 1));
  return Array.from({ length: months }, (_, month) =>
    month === 4
      ? []
      : Array.from({ length: perMonth }, (_, nth) => {
          const start = Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + month, 1);
          const chained = start + nth * 50 * hourMs;
          // One event in seven came two months late.
          const happened = chained - (nth === 6 ? 60 * 24 : 1) * hourMs;
          const isRare = month % 4 === 1 && nth === 3;
          return {
            chained,
            happened,
            type: isRare ? 'rare.one' : `often.t${nth % 3}`,
            severity: nth % 5 === 0 ? 'warning' : 'info',
          };
        }),
  ).flat();
}

async function fill(store: TestStore, tenantId: string, made: readonly Made[]): Promise<void> {
  const rows = made.map(({ chained, happened, type, severity }, at) => {
    const [chainedAt, happenedAt] = [new Date(chained).toISOString(), new Date(happened).toISOString()];
    const record = JSON.stringify({ event: { event_type: type, severity, timestamp: happenedAt } });
    return `('${tenantId}', 1, ${at}, gen_random_uuid(), '${chainedAt}', '${happenedAt}', '${type}', '${severity}', 'user', 'ann',
             'test', false, ''::bytea, sha256('${at}'), '${record}')`;
  });
  await store.asOwner(`select tally_ensure_partitions(${months})`);
  await store.asOwner(`insert into audit_records (tenant_id, epoch, sequence_number, audit_id, ingested_at, "timestamp", event_type, severity,
    actor_type, actor_id, source_service, is_sensitive, previous_hash, record_hash, record) values ${rows.join(', ')}`);
  await store.asOwner(
    `insert into audit_chain_state (tenant_id, epoch, last_sequence, last_hash, last_ingested_at, frontier)
     values ('${tenantId}', 1, ${made.length - 1}, '', '${new Date(made.at(-1)!.chained).toISOString()}', '')`,
  );
}

onEachStore((store: () => TestStore) => {
  const tenantId = newTenant('months');
  const made = madeRecords();
  beforeAll(() => fill(store(), tenantId, made), 120_000);

  const at = (month: number, hours: number) =>
    new Date(made[0]!.chained + month * 30.5 * 24 * hourMs + hours * hourMs).toISOString();
  const queries: EventFilters[] = [
    {},
    { event_type: 'rare.one' },
    { event_type: 'often.t1' },
    { event_type: 'often.*' },
    { severity: 'warning' },
    { from: at(3, 0) },
    { to: at(3, 7) },
    { from: at(1, 0), to: at(2, 11) },
    { from: at(5, 3), to: at(5, 100), severity: 'warning' },
    { event_type: 'rare.one', to: at(6, 0) },
    { ingested_from: at(2, 50), ingested_to: at(7, 51) },
    { ingested_to: at(4, 60), event_type: 'often.t0' },
    { sequence_from: 30, sequence_to: 71 },
  ];

  function expected({ event_type, severity, from, to, ...ranges }: EventFilters): number[] {
    const time = (text: string | undefined, absent: number) =>
      text === undefined ? absent : Date.parse(text);
    return made.flatMap((one, position) => {
      const isType = String(event_type).endsWith('.*')
        ? one.type.startsWith('often.')
        : one.type === event_type;
      const isMatch =
        (event_type === undefined || isType) &&
        (severity === undefined || one.severity === severity) &&
        one.happened >= time(from, 0) &&
        one.happened < time(to, Number.MAX_VALUE) &&
        one.chained >= time(ranges.ingested_from, 0) &&
        one.chained < time(ranges.ingested_to, Number.MAX_VALUE) &&
        position >= (ranges.sequence_from ?? 0) &&
        position <= (ranges.sequence_to ?? made.length);
      return isMatch ? [position] : [];
    });
  }

  it.each(queries)('%j finds what is in all its months, in both orders and over pages', async (filters) => {
    const trail = new Trail(store().database);
    for (const order of ['asc', 'desc'] as const)
      for (const limit of [3, 100]) {
        const found: number[] = [];
        let cursor: string | undefined;
        do {
          const page = await trail.rows({ tenantId, filters, order, limit, cursor }, { sensitive: true });
          found.push(...page.rows.map(({ sequence_number }) => sequence_number));
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        const all = expected(filters);
        expect(found, `${order}, pages of ${limit}`).toEqual(order === 'asc' ? all : all.toReversed());
      }
  });
});

describe('the months of a chain', () => {
  const chains = fc
    .array(fc.record({ months: fc.integer({ min: 1, max: 4 }), records: fc.integer({ min: 1, max: 9 }) }), {
      minLength: 1,
      maxLength: 20,
    })
    .map((parts) => {
      let [month, first] = [0, 0];
      const list: { readonly start: number; readonly first: number }[] = [];
      for (const part of parts) {
        list.push({ start: Date.UTC(2020, month), first });
        month += part.months;
        first += part.records;
      }
      return { list, size: first };
    });

  it('hold every record of a range, and as few others as months allow', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat(), ({ list, size }, a, b) => {
        const [low, high] = [a % size, b % size].sort((one, other) => one - other) as [number, number];
        const known = new ChainMonths(1, list);
        const { from, to } = known.between(low, high);
        const startOf = (position: number) => list.findLast(({ first }) => first <= position)!.start;
        expect(Date.parse(from)).toBe(startOf(low));
        const next = list.find(({ start }) => start > startOf(high));
        expect(to).toBe(next === undefined ? 'infinity' : new Date(next.start).toISOString());
        // Each month ends where the next one begins, and together they are all.
        const each = known.each(low, high);
        expect([each[0]!.from, each.at(-1)!.to]).toEqual([from, to]);
        expect(each.slice(1).map((month) => month.from)).toEqual(each.slice(0, -1).map((month) => month.to));
        expect(each).toHaveLength(known.count(low, high));
        expect(known.count(low, high)).toBe(
          list.filter(({ start }) => start >= startOf(low) && start <= startOf(high)).length,
        );
      }),
    );
  });

  it('say about how many records were chained between two times', () => {
    const known = new ChainMonths(1, [
      { start: Date.UTC(2026, 0), first: 0 },
      { start: Date.UTC(2026, 1), first: 3_100 },
      { start: Date.UTC(2026, 2), first: 3_100 + 56 },
    ]);
    expect(known.expected(Date.UTC(2026, 0, 11), Date.UTC(2026, 0, 12))).toBeCloseTo(100);
    expect(known.expected(Date.UTC(2026, 0, 31), Date.UTC(2026, 1, 2))).toBeCloseTo(102);
    expect(known.expected(Date.UTC(2025, 0), Date.UTC(2026, 1))).toBeCloseTo(3_100);
    // Of the newest month, the end is not known. A list without a beginning begins before all of them.
    expect(known.expected(Date.UTC(2026, 0), Date.UTC(2026, 2, 2))).toBe(Number.POSITIVE_INFINITY);
    expect(known.expected(Number.NaN, Date.UTC(2026, 1))).toBe(Number.POSITIVE_INFINITY);
    expect(new ChainMonths(1, []).expected(0, 1)).toBe(Number.POSITIVE_INFINITY);
  });

  it('of which the newest are not known yet leave the end open', () => {
    const known = new ChainMonths(1, [{ start: Date.UTC(2026, 0), first: 0 }]);
    expect(known.between(5, 1_000_000)).toEqual({ from: '2026-01-01T00:00:00.000Z', to: 'infinity' });
    expect(new ChainMonths(1, []).between(0, 5)).toEqual({ from: '-infinity', to: 'infinity' });
    expect(new ChainMonths(1, []).each(0, 5)).toEqual([{ from: '-infinity', to: 'infinity' }]);
    const later = new ChainMonths(1, [{ start: Date.UTC(2026, 0), first: 3 }]);
    expect(later.each(0, 5)).toEqual([{ from: '-infinity', to: 'infinity' }]);
    expect(new ChainMonths(1, []).around(0)).toEqual({ low: 0, high: Number.MAX_SAFE_INTEGER });
  });
});
