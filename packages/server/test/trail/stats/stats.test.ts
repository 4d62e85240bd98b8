import {
  type EventFilters,
  facetValue,
  type Grouping,
  readGrouping,
  timeFacetValue,
} from '@tallystick/event';
import type { Stats } from '@tallystick/protocol';
import { verifyStore } from '@tallystick/verify';
import { beforeAll, describe, expect, it } from 'vitest';
import { hourlyCounts } from '../../../src/followers/hourly-counts/hourly-counts.ts';
import { ReadAudit } from '../../../src/operations/read-audit.ts';
import { verifyRange } from '../../../src/proofs/verification/verify-range.ts';
import { writer } from '../../../src/store/database.ts';
import { type StatsQuery, TrailStats } from '../../../src/trail/stats/stats.ts';
import { logName } from '../../events.ts';
import { type Fields, followedTrail } from '../followed-trail.ts';

const site = followedTrail();
const { submit, asOwner } = site;
/** Lets the follower count all chains to their heads. */
const roll = () => site.follow([hourlyCounts()]);

const types = ['auth.login.failed', 'auth.login', 'content.publish', 'data.export'];
const statuses = ['success', 'failure', 'denied', undefined];

/** Events of many kinds, over some days, without randomness that differs between runs. */
function madeEvents(count: number): Fields[] {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  return Array.from({ length: count }, () => {
    const status = statuses[next(4)];
    return {
      timestamp: new Date(Date.UTC(2026, 1, 26) + next(6 * 86_400) * 1_000 + next(1_000)).toISOString(),
      event_type: types[next(4)],
      actor_type: next(3) === 0 ? 'agent' : 'user',
      actor_id: `actor-${next(6)}`,
      source_service: `service-${next(2)}`,
      ...(next(2) === 0 && { event_category: 'security' }),
      ...(next(3) === 0 && { severity: 'critical' }),
      ...(next(2) === 0 && { target_type: 'host', target_id: `host-${next(3)}` }),
      ...(status !== undefined && { outcome: { outcome_status: status } }),
      ...(next(5) === 0 && { is_sensitive: true }),
      ...(next(2) === 0 && { metadata: { platform: next(2) === 0 ? 'web' : 'ios' } }),
    };
  });
}

const grouped = (...texts: readonly string[]) => texts.map((text) => readGrouping(text)!);

/** Counts to the end. */
async function countAll(
  query: StatsQuery,
  { sensitive = true, stats = new TrailStats(site.service.database, site.trail) } = {},
): Promise<{ records: number; groups: Map<string, number>[]; pages: Stats[] }> {
  const pages: Stats[] = [];
  let cursor: string | undefined;
  do {
    const page = await stats.count({ limit: 1_000, ...query, cursor }, { sensitive });
    pages.push(page);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  const groups = query.groupings.map((_, at) => {
    const sums = new Map<string, number>();
    for (const { groupings } of pages) {
      for (const { values, records } of groupings[at]!.groups) {
        const key = Object.values(values).join(' | ');
        sums.set(key, (sums.get(key) ?? 0) + records);
      }
    }
    return new Map([...sums].sort());
  });
  return { records: pages.reduce((sum, { records }) => sum + records, 0), groups, pages };
}

/** The same by the slow way: every record that a list finds, one by one. */
async function expected(
  tenantId: string,
  filters: EventFilters,
  groupings: readonly Grouping[],
  sensitive = true,
) {
  const events: Fields[] = [];
  let cursor: string | undefined;
  do {
    const page = await site.trail.list(
      { tenantId, filters, cursor, limit: 1_000, includeReads: false },
      { sensitive },
    );
    events.push(...page.events.filter(({ redacted }) => redacted !== true));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  const groups = groupings.map(({ fields, time }) => {
    const sums = new Map<string, number>();
    for (const event of events) {
      const values = [
        ...fields.map((name) => facetValue(event, name)),
        ...(time === undefined ? [] : [timeFacetValue(event, time)]),
      ];
      const key = values.join(' | ');
      sums.set(key, (sums.get(key) ?? 0) + 1);
    }
    return new Map([...sums].sort());
  });
  return { records: events.length, groups };
}

const filters: readonly EventFilters[] = [
  {},
  { event_type: 'auth.login.failed' },
  { event_type: ['auth.*', 'data.export'] },
  { severity: 'info' },
  { actor: 'user:actor-1' },
  { actor_id: 'actor-2', outcome_status: ['failure', 'denied'] },
  { not: { event_category: 'security', actor: 'agent:actor-1' } },
  { is_sensitive: true },
  { from: '2026-02-27T10:00:00Z', to: '2026-03-01T11:00:00.000Z' },
  { from: '2026-02-27T10:17:31.250Z', to: '2026-03-01T11:40:00.001Z', event_type: 'auth.*' },
  { from: '2026-02-28T10:10:00Z', to: '2026-02-28T10:50:00Z' },
  { from: '2026-02-28T10:10:00Z', to: '2026-02-28T11:00:00Z' },
  { from: '2026-03-01T00:00:00Z', to: '2026-02-27T00:30:00Z' },
  { target_id: 'host-1' },
  { 'metadata.platform': 'web', severity: 'critical' },
  { sequence_from: 100, sequence_to: 250 },
];
const groupings = grouped(
  'event_type',
  'severity',
  'actor',
  'actor_type',
  'outcome_status',
  'target_type,event_category',
  'day',
  'actor,day',
  'hour,source_service',
);

describe('counts', () => {
  const tenantId = 'counted';
  beforeAll(async () => {
    const events = madeEvents(900);
    for (let at = 0; at < 600; at += 100) await submit(tenantId, events.slice(at, at + 100));
    await roll();
    // These are not in the hourly counts.
    for (let at = 600; at < 900; at += 100) await submit(tenantId, events.slice(at, at + 100));
  }, 120_000);

  it.each(filters.map((each) => [JSON.stringify(each), each] as const))(
    'are those of the records: %s',
    async (_, each) => {
      for (const sensitive of [true, false]) {
        const wanted = await expected(tenantId, each, groupings, sensitive);
        const { records, groups, pages } = await countAll(
          { tenantId, filters: each, groupings },
          { sensitive },
        );
        expect(records).toBe(wanted.records);
        expect(groups).toEqual(wanted.groups);
        expect(pages).toHaveLength(1);
        expect(pages[0]).toMatchObject({ complete: true, sensitive_left_out: !sensitive, time_zone: 'UTC' });
      }
    },
  );

  it('have their groups in the same order, whatever the way they were counted', async () => {
    // Of the second one, each record is read.
    const some: readonly EventFilters[] = [{ actor_type: 'user' }, { actor_type: 'user', sequence_from: 0 }];
    const stats = new TrailStats(site.service.database, site.trail);
    const [rolled, listed] = await Promise.all(
      some.map((each) => stats.count({ tenantId, filters: each, groupings, limit: 3 }, { sensitive: true })),
    );
    expect(listed).toEqual(rolled);
    const days = rolled!.groupings[6]!.groups.map(({ values }) => values.day);
    expect(days).toEqual(
      ['2026-02-26', '2026-02-27', '2026-02-28', '2026-03-01', '2026-03-02', '2026-03-03'].map(
        (day) => `${day}T00:00:00Z`,
      ),
    );
    const actors = rolled!.groupings[2]!;
    expect(actors.groups).toHaveLength(3);
    expect([actors.groups_left_out, actors.records_left_out]).toEqual([
      3,
      rolled!.records - actors.groups.reduce((sum, { records }) => sum + records, 0),
    ]);
  });

  it('leave out what the service recorded for itself, unless asked', async () => {
    const before = await countAll({ tenantId, groupings: [] });
    await new ReadAudit(site.service.database, site.service.writer).read({ principal: 'key', tenantId });
    const after = await countAll({ tenantId, groupings: [] });
    expect(after.records).toBe(before.records);
    expect(after.pages[0]!.reads_left_out).toBe(true);
    const included = await countAll({ tenantId, groupings: [], includeReads: true });
    expect(included.records).toBe(before.records + 1);
    expect(included.pages[0]!.reads_left_out).toBe(false);
    const named = await countAll({ tenantId, groupings: [], filters: { event_type: 'audit.read' } });
    expect(named.records).toBe(1);
    await roll();
    expect((await countAll({ tenantId, groupings: [] })).records).toBe(before.records);
    expect((await countAll({ tenantId, groupings: [], includeReads: true })).records).toBe(
      before.records + 1,
    );
  });

  it('go on where the budget of a request ends, and say so', async () => {
    const limits = { counts: 50, newer: 100, edge: 100, listed: 40 };
    const stats = new TrailStats(site.service.database, site.trail, limits);
    for (const each of [
      { severity: 'critical' },
      { event_type: 'auth.*' },
      { target_id: 'host-1' },
    ] satisfies EventFilters[]) {
      const by = grouped('actor', 'event_type,day');
      const { records, groups, pages } = await countAll(
        { tenantId, filters: each, groupings: by },
        { stats },
      );
      const wanted = await expected(tenantId, each, by);
      expect(pages.length).toBeGreaterThan(1);
      expect(pages.slice(0, -1).every(({ complete }) => !complete)).toBe(true);
      expect(pages.at(-1)!.complete).toBe(true);
      expect([records, ...groups]).toEqual([wanted.records, ...wanted.groups]);
    }
  });

  it('are those of whole hours, and say so, where an hour at an end has too many records', async () => {
    const stats = new TrailStats(site.service.database, site.trail, { edge: 2, counts: 100 });
    const range: EventFilters = {
      from: '2026-02-27T10:30:00Z',
      to: '2026-02-28T10:30:00Z',
      actor_type: 'user',
    };
    const { records, pages } = await countAll({ tenantId, filters: range, groupings: [] }, { stats });
    expect(pages.every(({ estimate }) => estimate === true)).toBe(true);
    const whole = { ...range, from: '2026-02-27T10:00:00Z', to: '2026-02-28T11:00:00Z' };
    expect(records).toBe((await expected(tenantId, whole, [])).records);
  });

  it('say how far they reach, where too many records are not in the hourly counts', async () => {
    const { epoch, sequence } = (await site.trail.head(tenantId))!;
    await submit(tenantId, madeEvents(30));
    const stats = new TrailStats(site.service.database, site.trail, { newer: 10 });
    const cut = await stats.count({ tenantId, groupings: [] }, { sensitive: true });
    expect(cut).toMatchObject({ complete: false, counted_to: sequence + 10 });
    expect(cut.next_cursor).toBeUndefined();
    expect(epoch).toBe(1);
    await roll();
    expect(await stats.count({ tenantId, groupings: [] }, { sensitive: true })).toMatchObject({
      complete: true,
    });
  });

  it('are the same before, during and after the hourly counts are made anew', async () => {
    const by = grouped('actor,event_type');
    const wanted = await expected(tenantId, {}, by);
    await site.service.followerOperations.reset('hourly-counts', tenantId);
    const absent = await countAll({ tenantId, groupings: by });
    expect([absent.records, absent.groups]).toEqual([wanted.records, wanted.groups]);
    await roll();
    await site.service.followerOperations.reset('hourly-counts');
    const during = await countAll({ tenantId, groupings: by });
    expect([during.records, during.groups]).toEqual([wanted.records, wanted.groups]);
    await roll();
    const after = await countAll({ tenantId, groupings: by });
    expect([after.records, after.groups]).toEqual([wanted.records, wanted.groups]);
  });

  it('refuse the cursor of another request', async () => {
    const stats = new TrailStats(site.service.database, site.trail, { counts: 10 });
    const page = await stats.count({ tenantId, groupings: grouped('actor') }, { sensitive: true });
    const cursor = page.next_cursor!;
    for (const [query, sensitive] of [
      [{ tenantId: 'other', groupings: grouped('actor') }, true],
      [{ tenantId, groupings: grouped('severity') }, true],
      [{ tenantId, groupings: grouped('actor') }, false],
    ] as const)
      await expect(stats.count({ ...query, cursor }, { sensitive })).rejects.toMatchObject({
        code: 'PARAMETER_INVALID',
      });
  });

  // The cursor named the row at which the page ended, also of sensitive records: a digest of their fields, which a reader could guess.
  it('have cursors that show nothing of the row at which they end, and can not be forged', async () => {
    const stats = new TrailStats(site.service.database, site.trail, { counts: 10 });
    const query = { tenantId, groupings: [] };
    const reader = { sensitive: false };
    const { next_cursor: cursor } = await stats.count(query, reader);
    const shown = Buffer.from(cursor!, 'base64url').toString();
    const [version, digest, kind, sealed] = JSON.parse(shown);
    expect([version, kind]).toEqual([1, 'counts']);
    const opened = Buffer.from(sealed, 'base64url').toString('latin1');
    expect(opened).not.toMatch(/exact|2026-/);
    const bytes = Buffer.from(sealed, 'base64url');
    bytes[bytes.length - 1]! ^= 1;
    const forged = [
      [1, digest, 'counts', bytes.toString('base64url')],
      [1, digest, 'counts', ''],
      [1, digest, 'exact', '2026-13-45T99:00:00Z', '0'.repeat(32)],
    ];
    for (const place of forged) {
      const text = Buffer.from(JSON.stringify(place)).toString('base64url');
      await expect(stats.count({ ...query, cursor: text }, reader)).rejects.toMatchObject({
        code: 'PARAMETER_INVALID',
      });
    }
  });

  it('go on with a cursor of another replica', async () => {
    const secret = new Uint8Array(32).fill(7);
    const [one, two] = [1, 2].map(
      () => new TrailStats(site.service.database, site.trail, { counts: 10 }, secret),
    );
    const first = await one!.count({ tenantId, groupings: [] }, { sensitive: true });
    const next = await two!.count(
      { tenantId, groupings: [], cursor: first.next_cursor },
      { sensitive: true },
    );
    expect(next.records).toBeGreaterThan(0);
  });

  it('do not stop at an event whose fields are as long as they may be', async () => {
    const long = (letter: string) => letter.repeat(512);
    await submit('long', [
      {
        actor_id: long('ä'),
        target_type: '漢'.repeat(64),
        target_id: long('b'),
        source_service: '漢'.repeat(128),
      },
    ]);
    await roll();
    const { groups } = await countAll({ tenantId: 'long', groupings: grouped('actor') });
    expect(groups[0]!.get(`user:${long('ä')}`)).toBe(1);
  });
});

describe('hourly counts', () => {
  it('show a reader nothing of another tenant', async () => {
    await submit('hidden', madeEvents(5));
    await roll();
    const reader = { role: 'reader', tenants: ['acme'] } as const;
    expect(await site.service.database.query(reader, 'select * from audit_hourly_counts')).toEqual([]);
    await expect(
      site.service.database.query(reader, `select * from tally_hourly_counts_place('hidden')`),
    ).rejects.toThrow('has not set the tenant');
    for (const change of ['delete from audit_hourly_counts', 'update audit_hourly_counts set records = 0'])
      await expect(site.service.database.query(reader, change)).rejects.toThrow('permission denied');
  });

  it('are compared with the records by a verification', async () => {
    const tenantId = 'checked';
    await submit(tenantId, madeEvents(40));
    await roll();
    await submit(tenantId, madeEvents(5));
    const findings = async () => {
      const report = await verifyStore(
        async (sql, parameters) => await site.service.database.query(writer, sql, parameters),
        { tenantId, logName, keys: [] },
      );
      return report.findings
        .filter(({ code }) => code === 'COUNT_MISMATCH')
        .map(({ expected: a, found }) => `${a}: ${found}`);
    };
    expect(await findings()).toEqual([]);
    const [row] = (await asOwner(
      `select hour::text as hour from audit_hourly_counts where tenant_id = '${tenantId}' and detailed order by hour, combination limit 1`,
    )) as { hour: string }[];
    const one = `from audit_hourly_counts where tenant_id = '${tenantId}' and detailed and hour = '${row!.hour}'`;
    await asOwner(
      `update audit_hourly_counts set records = records + 1 where ctid = (select ctid ${one} order by combination limit 1)`,
    );
    await asOwner(
      `insert into audit_hourly_counts (generation, tenant_id, detailed, hour, combination, event_type, is_sensitive, records)
       select generation, tenant_id, false, '2020-01-01T00:00:00Z', combination, event_type, false, 7 ${one} order by combination limit 1`,
    );
    const found = await findings();
    expect(found).toHaveLength(2);
    expect(found).toContain('0 records in the hour from 2020-01-01T00:00:00Z: 7 in the counts by type');
    const report = await verifyRange(site.service, site.trail, { tenantId });
    expect(report.findings.filter(({ code }) => code === 'COUNT_MISMATCH')).toHaveLength(2);
    // A verification finds what was removed too.
    await asOwner(`delete from audit_hourly_counts where tenant_id = '${tenantId}'`);
    expect((await findings()).length).toBeGreaterThan(2);
    await site.service.followerOperations.reset('hourly-counts', tenantId);
    await roll();
    expect(await findings()).toEqual([]);
    await asOwner(
      `update audit_hourly_counts set event_type = 'other.type' where ctid = (select ctid ${one} order by combination limit 1)`,
    );
    const moved = /^(\d+) records in the hour from [^ ]+: \1 of other values in the detailed counts$/;
    expect(await findings()).toEqual([expect.stringMatching(moved)]);
  });
});
