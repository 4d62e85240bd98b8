import { uuidv7 } from '@tallystick/event';
import { until } from '@tallystick/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { appendBatch } from '../../src/chain/append-batch.ts';
import type { EventItem, ProducerStatement } from '../../src/chain/batch.ts';
import type { Followers } from '../../src/followers/followers.ts';
import { type OpenIntentsOptions, openIntents } from '../../src/followers/open-intents/open-intents.ts';
import { FollowerOperations } from '../../src/followers/operate.ts';
import { rangeAppender } from '../../src/ingest/append-ranges.ts';
import { recordsOf } from '../chains.ts';
import { anItem, logName, newTenant } from '../events.ts';
import { onEachStore } from '../stores.ts';
import { manualFollowers, rounds } from './manual-rounds.ts';

const recordIdSecret = new Uint8Array(32).fill(7);

onEachStore((store) => {
  const { run: runOn } = manualFollowers();

  const run = (options: OpenIntentsOptions = {}) => {
    const database = store().connect();
    const appendRanges = rangeAppender(database, { logName, recordIdSecret }, {});
    const follower = openIntents({ database, appendRanges }, { graceMs: 0, silentMs: 3_600_000, ...options });
    return { running: runOn(database, [follower]), operations: new FollowerOperations(database, [follower]) };
  };
  const append = (items: readonly EventItem[], statements: readonly ProducerStatement[] = []) =>
    appendBatch(store().database, { items, statements }, { logName, recordIdSecret });

  /** Rounds until the follower has read everything, and some more for what is due. */
  const settle = async (...replicas: readonly { running: Followers }[]) => {
    for (let round = 0; round < 3; round++) {
      await rounds(
        replicas.map(({ running }) => running),
        async () => {
          const [row] = await store().asOwner<{ behind: number }>(
            `select count(*)::integer as behind from audit_chain_state h join audit_followers f on f.name = 'open-intents'
               left join audit_follower_cursors c on c.follower = f.name and c.generation = f.generation and c.tenant_id = h.tenant_id
              where h.last_sequence >= 0 and (c.epoch, c.sequence_number) is distinct from (h.epoch, h.last_sequence)`,
          );
          return row!.behind === 0;
        },
      );
      // Rows whose sources have not caught up are looked at again.
      await store().asOwner(
        "update audit_open_intents set check_at = clock_timestamp() where check_at < clock_timestamp() + interval '5 s'",
      );
    }
  };
  const rows = async (tenant: string) =>
    await store().asOwner<{ intent_id: string; state: string; waiting: boolean }>(
      `select i.intent_id::text, i.state, i.waiting, i.record_id::text from audit_open_intents i join audit_followers f on f.name = 'open-intents' and f.generation = i.generation
        where tenant_id = $1 order by sequence_number`,
      [tenant],
    );
  const states = async (tenant: string) => (await rows(tenant)).map(({ state }) => state);
  const findings = async (tenant: string) =>
    (await recordsOf(store().database, tenant))
      .map(
        ({ record }) => JSON.parse(record) as { event: Record<string, unknown>; ingest: { trust: string } },
      )
      .filter(({ event }) => /unresolved|unexplained/.test(String(event.event_type)));

  /** An intent that had `ms` for its effect. */
  const intent = (tenant: string, ms = 0, item: Partial<EventItem['ingest']> = {}) => {
    const made = anItem(tenant, {
      event_type: 'agent.action.intended',
      context: {
        action: 'refund',
        deadline: new Date(Date.parse('2026-01-02T03:04:05.678Z') + ms).toISOString(),
      },
    });
    return { ...made, ingest: { ...made.ingest, ...item } };
  };
  const end = (tenant: string, intentId: string | undefined, type = 'completed', fields: object = {}) =>
    anItem(tenant, {
      event_type: `agent.action.${type}`,
      ...(intentId !== undefined && { parent_id: intentId }),
      ...fields,
    });
  const idOf = (item: EventItem) => item.event.audit_id;
  const hour = 3_600_000;

  /** The service has been running for two hours: only then is the silence of a source a sign. */
  const becomesUnresolvedOnceAwake = async (tenant: string, replica: ReturnType<typeof run>) => {
    await store().asOwner(`update audit_follower_clock set awake_since = clock_timestamp() - interval '2 h'`);
    await settle(replica);
    expect(await states(tenant)).toEqual(['unresolved']);
    await store().asOwner('update audit_follower_clock set awake_since = clock_timestamp()');
  };

  describe('an intent', () => {
    test.each([
      ['completed', {}],
      ['abandoned', {}],
      ['decided', { decision: { effect: 'deny' } }],
    ])('that ends as %s leaves no row, and no record', async (type, fields) => {
      const tenant = newTenant();
      const replica = run();
      const declared = intent(tenant);
      await append([declared, end(tenant, idOf(declared), type, fields)]);
      await settle(replica);
      expect(await rows(tenant)).toEqual([]);
      expect(await findings(tenant)).toEqual([]);
    });

    test('without an end becomes unresolved once, with two replicas', async () => {
      const tenant = newTenant();
      const replicas = [run(), run()];
      const declared = intent(tenant);
      await append([declared, end(tenant, idOf(declared), 'decided', { decision: { effect: 'allow' } })]);
      await settle(...replicas);
      expect(await states(tenant)).toEqual(['unresolved']);
      const found = await findings(tenant);
      expect(found).toMatchObject([
        {
          event: {
            event_type: 'agent.action.unresolved',
            target_id: idOf(declared),
            parent_id: idOf(declared),
            context: { action: 'refund' },
            metadata: { epoch: 1, sequence_number: 1 },
          },
          ingest: { trust: 'service' },
        },
      ]);
    });

    test('whose deadline has not passed stays open', async () => {
      const tenant = newTenant();
      const replica = run();
      await append([intent(tenant, hour)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
    });

    test('stays open for the grace time', async () => {
      const tenant = newTenant();
      const replica = run({ graceMs: hour });
      await append([intent(tenant)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
    });

    test('that is unresolved is closed by a late end, whose record says so', async () => {
      const tenant = newTenant();
      const replica = run();
      const declared = intent(tenant);
      await append([declared]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['unresolved']);
      await append([end(tenant, idOf(declared))]);
      await settle(replica);
      expect(await rows(tenant)).toEqual([]);
      expect(await findings(tenant)).toHaveLength(1);
    });

    test('waits for an approval of the desk, and not for one that a client has written', async () => {
      const tenant = newTenant();
      const replica = run();
      const [asked, forged] = [intent(tenant), intent(tenant)];
      const request = (parent: string, trust: 'service' | 'api-key', type = 'approval.requested') => {
        const item = anItem(tenant, { event_type: type, parent_id: parent });
        return { ...item, ingest: { ...item.ingest, trust } };
      };
      await append([asked, request(idOf(asked), 'service'), forged, request(idOf(forged), 'api-key')]);
      await settle(replica);
      expect(await rows(tenant)).toMatchObject([
        { intent_id: idOf(asked), state: 'open', waiting: true },
        { intent_id: idOf(forged), state: 'unresolved' },
      ]);
      await append([request(idOf(asked), 'service', 'approval.claimed')]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['unresolved', 'unresolved']);
    });

    // An application with a desk of its own asked for an approval that took longer than the effect may take. The service saw no
    // approval, and chained a false finding.
    test('for which the policy asks, and whose desk the service does not see, has the time of one without a deadline', async () => {
      const tenant = newTenant();
      const replica = run();
      const declared = intent(tenant);
      const asked = end(tenant, idOf(declared), 'decided', { decision: { effect: 'ask' } });
      await append([declared, asked]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
      expect(await findings(tenant)).toEqual([]);
      const impatient = newTenant();
      const second = intent(impatient);
      await append([second, end(impatient, idOf(second), 'decided', { decision: { effect: 'ask' } })]);
      await replica.running.close();
      await settle(run({ timeoutMs: 0 }));
      expect(await states(impatient)).toEqual(['unresolved']);
    });

    test('has ended for good: a second end is not unexplained', async () => {
      const tenant = newTenant();
      const replica = run();
      const declared = intent(tenant);
      await append([
        declared,
        end(tenant, idOf(declared), 'completed', { outcome: { outcome_status: 'timed_out' } }),
      ]);
      await settle(replica);
      await append([end(tenant, idOf(declared))]);
      await settle(replica);
      expect(await rows(tenant)).toEqual([]);
      expect(await findings(tenant)).toEqual([]);
    });

    // Two ends on one page: the first one closed the row, and the second one found neither the row nor the intent on the page.
    test('may end twice on a page that does not have the intent', async () => {
      const tenant = newTenant();
      const replica = run();
      const declared = intent(tenant, hour);
      await append([declared]);
      await settle(replica);
      await append([end(tenant, idOf(declared)), end(tenant, idOf(declared))]);
      await settle(replica);
      expect(await rows(tenant)).toEqual([]);
      expect(await findings(tenant)).toEqual([]);
    });

    test.each([
      ['a deadline that is no time', { deadline: 'soon' }],
      ['no deadline', {}],
      ['a deadline in the year 9999', { deadline: '9999-12-31T23:59:59.999Z' }],
      ['an action with U+0000', { action: 'a\0b', deadline: '9999-12-31T23:59:59.999Z' }],
    ])('may have %s', async (_, context) => {
      const tenant = newTenant();
      const replica = run();
      await append([anItem(tenant, { event_type: 'agent.action.intended', context })]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
      const [row] = await store().asOwner<{ days: number }>(
        `select extract(epoch from deadline - ingested_at)::float8 / 86400 as days from audit_open_intents where tenant_id = $1`,
        [tenant],
      );
      expect(row!.days).toBeLessThanOrEqual(30);
    });
  });

  describe('an end without an intent', () => {
    test('becomes unexplained, and the intent explains it when it comes', async () => {
      const tenant = newTenant();
      const replica = run();
      const declared = intent(tenant);
      await append([end(tenant, idOf(declared))]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['unexplained']);
      expect(await findings(tenant)).toMatchObject([
        { event: { event_type: 'agent.action.unexplained', target_id: idOf(declared) } },
      ]);
      await append([declared]);
      await settle(replica);
      expect(await rows(tenant)).toEqual([]);
      expect(await findings(tenant)).toHaveLength(1);
    });

    test.each([undefined, 'not an id'])('may name no intent (%s)', async (parent) => {
      const tenant = newTenant();
      const replica = run();
      await append([end(tenant, parent)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['unexplained']);
    });

    test('that came before its intent is none', async () => {
      const tenant = newTenant();
      const replica = run({ graceMs: hour });
      const declared = intent(tenant);
      await append([end(tenant, idOf(declared))]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['early']);
      await append([declared]);
      await settle(replica);
      expect(await rows(tenant)).toEqual([]);
    });

    test('of which nothing was done needs no explanation', async () => {
      const tenant = newTenant();
      const replica = run();
      await append([end(tenant, uuidv7(), 'abandoned')]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['early']);
      expect(await findings(tenant)).toEqual([]);
    });

    test('is unexplained, also if an event before it said that the action was given up', async () => {
      const tenant = newTenant();
      const replica = run();
      const parent = uuidv7();
      await append([end(tenant, parent, 'abandoned')]);
      await settle(replica);
      await append([end(tenant, parent)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['unexplained']);
    });

    test('is unexplained, also if that event is on the same page', async () => {
      const tenant = newTenant();
      const replica = run();
      const parent = uuidv7();
      await append([end(tenant, parent, 'abandoned'), end(tenant, parent)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['unexplained']);
    });
  });

  describe('the account of the producer', () => {
    const producer = () => ({ producer_id: uuidv7(), principal: 'key:agent' });
    const numbered = (item: EventItem, by: ReturnType<typeof producer>, producer_seq: number): EventItem => ({
      ...item,
      ingest: { ...item.ingest, ...by, producer_seq },
    });
    const later = (tenant: string, seconds: number) =>
      anItem(tenant, {
        timestamp: new Date(Date.parse('2026-01-02T03:04:05.678Z') + seconds * 1_000).toISOString(),
      });

    test('of a producer that may hold the end in its spool is waited for', async () => {
      const tenant = newTenant();
      const replica = run();
      const by = producer();
      const declared = numbered(intent(tenant), by, 1);
      await append([declared]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
      // It has begun to send: an event from before the deadline proves nothing.
      await append([numbered(later(tenant, -10), by, 2)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
      // The spool sends in the order of emission, so the end is not in it.
      await append([numbered(later(tenant, 10), by, 3)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['unresolved']);
    });

    // An event from after the first deadline counted as a proof that the spool is empty, also after an approval had moved the deadline.
    test('says nothing about a deadline that an approval has moved since', async () => {
      const tenant = newTenant();
      const replica = run();
      const by = producer();
      const declared = numbered(intent(tenant), by, 1);
      const approval = (type: string) => {
        const item = anItem(tenant, { event_type: type, parent_id: idOf(declared) });
        return { ...item, ingest: { ...item.ingest, trust: 'service' as const } };
      };
      await append([declared, numbered(later(tenant, 0.001), by, 2), approval('approval.requested')]);
      await settle(replica);
      await append([approval('approval.claimed')]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
    });

    test('with an open number before a later event is waited for', async () => {
      const tenant = newTenant();
      const replica = run();
      const by = producer();
      const declared = numbered(intent(tenant), by, 1);
      await append([declared, numbered(later(tenant, 10), by, 3)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
      await append([numbered(end(tenant, idOf(declared)), by, 2)]);
      await settle(replica);
      expect(await rows(tenant)).toEqual([]);
      expect(await findings(tenant)).toEqual([]);
    });

    test('that is closed has nothing left', async () => {
      const tenant = newTenant();
      const replica = run();
      const by = producer();
      const statement = {
        submitter: by.principal,
        producerId: by.producer_id,
        gaps: [],
        final: [{ tenantId: tenant, finalSeq: 1 }],
      };
      await append([numbered(intent(tenant), by, 1)], [statement]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['unresolved']);
    });

    test('of a producer that was silent for long counts as ended, but only while the service was there to hear it', async () => {
      const tenant = newTenant();
      const replica = run();
      const by = producer();
      await append([numbered(intent(tenant), by, 1)]);
      await settle(replica);
      const silent = `update audit_producers set last_seen_at = clock_timestamp() - interval '2 h' where producer_id = $1`;
      await store().asOwner(silent, [by.producer_id]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
      await becomesUnresolvedOnceAwake(tenant, replica);
    });

    test('of another submitter with the same producer id says nothing', async () => {
      const tenant = newTenant();
      const replica = run();
      const by = producer();
      await append([numbered(intent(tenant), by, 1)]);
      await append([numbered(later(tenant, 10), { ...by, principal: 'key:eve' }, 2)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
    });

    test('of an end with open numbers before it is waited for: one of them may be its intent', async () => {
      const tenant = newTenant();
      const replica = run();
      const by = producer();
      const declared = numbered(intent(tenant), by, 1);
      await append([numbered(end(tenant, idOf(declared)), by, 2)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['early']);
      await append([declared]);
      await settle(replica);
      expect(await rows(tenant)).toEqual([]);
    });
  });

  describe('the partitions of a topic', () => {
    const partition = (number: number, columns: string, topic = 'events') =>
      store().asOwner(
        `insert into audit_source_positions (cluster_id, topic_id, partition, topic, next_offset, checked_at, drained_at, added_at)
         values ('c', $2, $1::integer, 'events', 0, ${columns})`,
        [number, topic],
      );
    afterEach(() => store().asOwner(`delete from audit_source_positions`));

    test('that hold messages of the tenant are read to their end first', async () => {
      const tenant = newTenant();
      const replica = run();
      await partition(0, `clock_timestamp(), clock_timestamp() - interval '1 h', null`);
      await append([intent(tenant)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
      await store().asOwner(
        `update audit_source_positions set drained_at = clock_timestamp() + interval '1 s'`,
      );
      await settle(replica);
      expect(await states(tenant)).toEqual(['unresolved']);
    });

    test('are all of them after the topic has grown', async () => {
      const tenant = newTenant();
      const replica = run();
      await append([intent(tenant)]);
      for (let number = 0; number < 8; number++)
        await partition(number, `clock_timestamp(), clock_timestamp() + interval '1 h', clock_timestamp()`);
      await store().asOwner('update audit_source_positions set drained_at = null where partition = 3');
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
    });

    test('of a topic that is gone count no more', async () => {
      const tenant = newTenant();
      const replica = run();
      await partition(0, `clock_timestamp() - interval '2 h', null, null`);
      await append([intent(tenant)]);
      await settle(replica);
      expect(await states(tenant)).toEqual(['open']);
      await becomesUnresolvedOnceAwake(tenant, replica);
    });
  });

  test('a rebuild comes to the same rows, and chains nothing again', async () => {
    const tenant = newTenant();
    const replica = run();
    const [declared, still] = [intent(tenant), intent(tenant, hour)];
    await append([declared, still, end(tenant, uuidv7())]);
    await settle(replica);
    const before = await rows(tenant);
    expect(before.map(({ state }) => state)).toEqual(['unresolved', 'open', 'unexplained']);
    await replica.operations.reset('open-intents');
    await until(
      async () => {
        await replica.running.round();
        return (await replica.operations.get('open-intents')).building === null;
      },
      { timeoutMs: 30_000, intervalMs: 20 },
    );
    await settle(replica);
    expect(await rows(tenant)).toEqual(before);
    expect(await findings(tenant)).toHaveLength(2);
  });
});
