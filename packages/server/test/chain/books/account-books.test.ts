import { type AuditEvent, uuidv7 } from '@tallystick/event';
import { sha256 } from '@tallystick/log';
import { checkBooks, type Finding, type Query, readAccounts } from '@tallystick/verify';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendBatch } from '../../../src/chain/append-batch.ts';
import type { BatchItem, ProducerStatement } from '../../../src/chain/batch.ts';
import { openBooks } from '../../../src/chain/books/open-books.ts';
import { pruneAccounts } from '../../../src/chain/books/prune-accounts.ts';
import { toDeadLetter } from '../../../src/chain/dead-letters.ts';
import { rangeAppender } from '../../../src/ingest/append-ranges.ts';
import { writer } from '../../../src/store/database.ts';
import { expectSoundChain, recordsOf } from '../../chains.ts';
import { anEvent, itemOf, logName, newTenant } from '../../events.ts';
import { onEachStore } from '../../stores.ts';

const submitter = 'key:0123456789ab';
const day = 86_400_000;

onEachStore((store) => {
  const query: Query = (sql, parameters) => store().database.query(writer, sql, parameters);

  async function findings(of: string): Promise<(string | undefined)[]> {
    const found: Finding[] = [];
    await checkBooks(query, { tenantId: of }, { add: (finding) => void found.push(finding) });
    return found.map(({ code, found }) => `${code} ${found}`);
  }

  const named = (producer: string, tenant: string, difference: string) =>
    `PRODUCER_ACCOUNT_MISMATCH ${producer} of ${submitter} for ${tenant}: ${difference}`;

  const numbered = (event: AuditEvent, producer: string, producer_seq: number) => ({
    ...itemOf(event),
    ingest: {
      source: 'http',
      trust: 'api-key' as const,
      principal: submitter,
      producer_id: producer,
      producer_seq,
    },
  });

  function refused(tenant: string, producer: string, producer_seq: number): BatchItem {
    const { ingest } = numbered(anEvent(tenant), producer, producer_seq);
    const violations = [{ code: 'FIELD_TYPE', pointer: '/a', message: 'is wrong' }] as const;
    const deadLetter = {
      ...toDeadLetter(`${producer} ${producer_seq}`, ingest, violations),
      tenantId: tenant,
    };
    return { deadLetter, ingest };
  }

  async function append(items: readonly BatchItem[], statement?: Partial<ProducerStatement>): Promise<void> {
    const statements =
      statement?.producerId === undefined
        ? []
        : [{ submitter, producerId: statement.producerId, gaps: [], final: [], ...statement }];
    await appendBatch(store().database, { items, statements }, { logName });
  }

  const typesOf = async (tenant: string) =>
    (await recordsOf(store().database, tenant)).map(
      ({ record }) => JSON.parse(record).event.event_type as string,
    );

  /** A producer whose numbers 1, 2, 5 and 6 are settled and whose last number is 9. */
  async function anAccount(): Promise<{ readonly tenant: string; readonly producer: string }> {
    const [tenant, producer] = [newTenant(), uuidv7()];
    const events = [anEvent(tenant), anEvent(tenant), anEvent(tenant)];
    await append(events.map((event, at) => numbered(event, producer, [1, 2, 5][at]!)));
    await append([numbered(events[0]!, producer, 6)], {
      producerId: producer,
      service: 'cms',
      final: [{ tenantId: tenant, finalSeq: 9 }],
    });
    expect(await findings(tenant)).toEqual([]);
    return { tenant, producer };
  }

  test('new events of a known producer need no record beside them', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    await append(
      [1, 2, 3].map((number) => numbered(anEvent(tenant), producer, number)),
      {
        producerId: producer,
        service: 'test',
      },
    );
    await append([numbered(anEvent(tenant), producer, 4)], { producerId: producer, service: 'test' });
    expect(new Set(await typesOf(tenant))).toEqual(new Set(['system.genesis', 'access.granted']));
    expect(await findings(tenant)).toEqual([]);
  });

  test('duplicates, refusals, an end and a name are on record once, however often they are sent again', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    const event = anEvent(tenant);
    const items = [numbered(event, producer, 1), numbered(event, producer, 2), refused(tenant, producer, 4)];
    const statement = {
      producerId: producer,
      service: 'cms',
      ephemeral: true,
      final: [{ tenantId: tenant, finalSeq: 4 }],
    };
    for (let times = 0; times < 3; times++) await append(items, statement);
    const changes = (await expectSoundChain(store().database, tenant))
      .filter((record) => record.event.event_type === 'audit.accounts_changed')
      .map(({ event }) =>
        (event.metadata as unknown as { accounts: string[] }).accounts.map((text) => JSON.parse(text)),
      );
    expect(changes).toEqual([
      [
        {
          submitter,
          producer_id: producer,
          tenant_id: tenant,
          settled: '2-2 4-4',
          final: 4,
          ephemeral: true,
          service: 'cms',
        },
      ],
    ]);
    expect(await findings(tenant)).toEqual([]);
  });

  test('the accounts of an honest run agree with the chain after each batch', async () => {
    const step = fc.record({
      producer: fc.integer({ min: 0, max: 2 }),
      events: fc.array(
        fc.record({
          number: fc.integer({ min: 1, max: 12 }),
          kind: fc.constantFrom('new', 'new', 'again', 'changed', 'refused'),
        }),
        { maxLength: 4 },
      ),
      gap: fc.option(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 3 }))),
      final: fc.option(fc.integer({ min: 0, max: 14 })),
      service: fc.constantFrom(undefined, 'test', 'cms'),
      ephemeral: fc.boolean(),
      isFirstTenant: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const tenants = [newTenant(), newTenant()] as const;
        const producers = [uuidv7(), uuidv7(), uuidv7()];
        const sent = new Map<string, AuditEvent>();
        for (const { producer: at, events, gap, final, service, ephemeral, isFirstTenant } of steps) {
          const tenant = tenants[isFirstTenant ? 0 : 1];
          const producer = producers[at]!;
          const items = events.map(({ number, kind }) => {
            if (kind === 'refused') return refused(tenant, producer, number);
            const before = sent.get(tenant);
            const event = kind === 'new' || before === undefined ? anEvent(tenant) : before;
            sent.set(tenant, event);
            return numbered(kind === 'changed' ? { ...event, actor_id: 'bob' } : event, producer, number);
          });
          const [from, more] = gap ?? [1, 0];
          await append(items, {
            producerId: producer,
            service,
            ephemeral,
            gaps: gap === null ? [] : [{ tenantId: tenant, from, to: from + more, reason: 'buffer_full' }],
            final: final === null ? [] : [{ tenantId: tenant, finalSeq: final }],
          });
        }
        for (const tenant of tenants) expect(await findings(tenant)).toEqual([]);
      }),
      { numRuns: 6 },
    );
    expect(await findings('tallystick')).toEqual([]);
  });

  test('each column that a superuser edits is named', async () => {
    const { tenant, producer } = await anAccount();
    const edits: readonly [edit: string, undo: string, ...found: string[]][] = [
      ['settled_to = 4', 'settled_to = 2', 'the numbers 3-4 settled without a record'],
      ['settled_to = 1', 'settled_to = 2', 'the number 2 not settled in spite of the records'],
      ['highest_seen = 8', 'highest_seen = 6', 'the highest number 8 instead of 6'],
      ['final_seq = 6', 'final_seq = 9', 'the last number 6 instead of 9'],
      ['final_seq = null', 'final_seq = 9', 'the last number unknown instead of 9'],
      ['is_ephemeral = true', 'is_ephemeral = false', 'ephemeral without a record'],
      [`service = 'x'`, `service = 'cms'`, 'another name than the records say'],
    ];
    const set = (change: string) =>
      store().asOwner(`update audit_producers set ${change} where producer_id = '${producer}'`);
    for (const [edit, undo, ...found] of edits) {
      await set(edit);
      expect(await findings(tenant)).toEqual(found.map((each) => named(producer, tenant, each)));
      await set(undo);
      expect(await findings(tenant)).toEqual([]);
    }
  });

  test('each column of the key that a superuser edits is named, with the account that is gone', async () => {
    const { tenant, producer } = await anAccount();
    const other = uuidv7();
    const set = (change: string, of: string) =>
      store().asOwner(`update audit_producers set ${change} where ${of}`);
    await set(`producer_id = '${other}'`, `producer_id = '${producer}'`);
    expect(await findings(tenant)).toEqual([
      named(other, tenant, 'a row without a record'),
      named(producer, tenant, 'no row'),
      named(producer, tenant, 'the numbers 5-6 without an account'),
    ]);
    await set(`producer_id = '${producer}', submitter = 'mallory'`, `producer_id = '${other}'`);
    expect(await findings(tenant)).toContain(named(producer, tenant, 'no row'));
    await set(`submitter = '${submitter}', tenant_id = 'elsewhere'`, `producer_id = '${producer}'`);
    expect(await findings(tenant)).toContain(named(producer, tenant, 'no row'));
    expect(await findings('tallystick')).toContain(named(producer, 'elsewhere', 'a row without a record'));
    await set(`tenant_id = '${tenant}'`, `producer_id = '${producer}'`);
    expect(await findings(tenant)).toEqual([]);
  });

  test('ranges that a superuser edits, deletes, inserts or splits are named', async () => {
    const { tenant, producer } = await anAccount();
    const of = `producer_id = '${producer}'`;
    const insert = (first: number, last: number, id = producer) =>
      `insert into audit_producer_ranges values ('${submitter}', '${id}', '${tenant}', ${first}, ${last})`;
    const update = (change: string) => `update audit_producer_ranges set ${change} where ${of}`;
    const remove = `delete from audit_producer_ranges where ${of}`;
    const other = uuidv7();
    const tampering: readonly [tamper: string, undo: readonly string[], found: string, id?: string][] = [
      [update('first_seq = 4'), [update('first_seq = 5')], 'the number 4 settled without a record'],
      [update('last_seq = 5'), [update('last_seq = 6')], 'the number 6 not settled in spite of the records'],
      [remove, [insert(5, 6)], 'the numbers 5-6 not settled in spite of the records'],
      [insert(8, 9), [`${remove} and first_seq = 8`], 'the numbers 8-9 settled without a record'],
      [insert(6, 6), [`${remove} and first_seq = 6`], 'the settled numbers in other ranges'],
      [
        insert(3, 4, other),
        [`delete from audit_producer_ranges where producer_id = '${other}'`],
        'the numbers 3-4 without an account',
        other,
      ],
    ];
    for (const [tamper, undo, found, id = producer] of tampering) {
      await store().asOwner(tamper);
      expect(await findings(tenant)).toEqual([named(id, tenant, found)]);
      for (const sql of undo) await store().asOwner(sql);
      expect(await findings(tenant)).toEqual([]);
    }
  });

  test('an account that a superuser deletes or inserts is named', async () => {
    const { tenant, producer } = await anAccount();
    const of = `where producer_id = '${producer}'`;
    await store().asOwner(`create table kept as select * from audit_producers ${of}`);
    await store().asOwner(`delete from audit_producers ${of}`);
    expect(await findings(tenant)).toContain(named(producer, tenant, 'no row'));
    await store().asOwner('insert into audit_producers select * from kept');
    await store().asOwner('drop table kept');
    expect(await findings(tenant)).toEqual([]);
    const id = uuidv7();
    await store().asOwner(
      `insert into audit_producers (submitter, producer_id, tenant_id, settled_to, highest_seen, final_seq, on_record)
       values ('${submitter}', '${id}', '${tenant}', 7, 7, 7, true)`,
    );
    expect(await findings(tenant)).toEqual([named(id, tenant, 'a row without a record')]);
  });

  test('the account of a tenant without a chain is on record in the chain of the service', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    await append([refused(tenant, producer, 2)]);
    expect(await typesOf(tenant)).toEqual([]);
    expect(await findings('tallystick')).toEqual([]);
    const of = `where producer_id = '${producer}'`;
    await store().asOwner(`update audit_producers set highest_seen = 3 ${of}`);
    const found = [named(producer, tenant, 'the highest number 3 instead of 2')];
    expect(await findings('tallystick')).toEqual(found);
    await store().asOwner(`update audit_producers set highest_seen = 2 ${of}`);

    await append([numbered(anEvent(tenant), producer, 1)]);
    expect(await findings(tenant)).toEqual([]);
    await store().asOwner(`delete from audit_producers ${of}`);
    expect(await findings(tenant)).toEqual([named(producer, tenant, 'no row')]);
  });

  test('a pruned account is no finding, and neither is one that comes back', async () => {
    const tenant = newTenant();
    const producer = uuidv7(Date.now() - 40 * day);
    const event = anEvent(tenant);
    await append([numbered(event, producer, 1), numbered(anEvent(tenant), producer, 2)], {
      producerId: producer,
      service: 'cms',
      ephemeral: true,
      final: [{ tenantId: tenant, finalSeq: 2 }],
    });
    await store().asOwner(
      `update audit_producers set last_seen_at = now() - interval '31 days' where producer_id = '${producer}'`,
    );
    const { database } = store();
    const appendRanges = rangeAppender(database, { logName }, {});
    expect(await pruneAccounts({ database, appendRanges, serviceTenant: 'tallystick' }, Date.now())).toBe(1);
    expect(await findings(tenant)).toEqual([]);
    await append([numbered(event, producer, 1)], { producerId: producer, service: 'cms' });
    expect(await findings(tenant)).toEqual([]);
    await append([numbered(anEvent(tenant), producer, 3)]);
    expect(await findings(tenant)).toEqual([]);
  });

  test('two replicas that chain the same events and declarations at once leave accounts that agree', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    const items = [1, 2, 3, 4].map((number) => numbered(anEvent(tenant), producer, number));
    const statements = (finalSeq: number) => [
      { submitter, producerId: producer, service: 'cms', gaps: [], final: [{ tenantId: tenant, finalSeq }] },
    ];
    const replicas = [store().database, store().connect()];
    await Promise.all(
      replicas.flatMap((database, at) => [
        appendBatch(database, { items: items.slice(at), statements: statements(4 + at) }, { logName }),
        appendBatch(
          database,
          { items: [refused(tenant, producer, 7 + at)], statements: statements(9) },
          { logName },
        ),
      ]),
    );
    expect(await findings(tenant)).toEqual([]);
    await expectSoundChain(store().database, tenant);
  });

  test('a crash before the commit leaves neither the change nor its record, and one after it leaves both', async () => {
    const [tenant, producer] = [newTenant(), uuidv7()];
    const event = anEvent(tenant);
    await append([numbered(event, producer, 1)]);
    const batch = {
      items: [numbered(event, producer, 2), refused(tenant, producer, 4)],
      statements: [{ submitter, producerId: producer, gaps: [], final: [{ tenantId: tenant, finalSeq: 5 }] }],
    };
    for (const crashAt of ['committing', 'committed'] as const) {
      const before = (await typesOf(tenant)).length;
      const onStage = (stage: string) => {
        if (stage === crashAt) throw new Error('crash');
      };
      await expect(appendBatch(store().database, batch, { logName, onStage })).rejects.toThrow('crash');
      expect(await findings(tenant)).toEqual([]);
      const added = (await typesOf(tenant)).slice(before);
      expect(added.filter((type) => type === 'audit.accounts_changed')).toHaveLength(
        crashAt === 'committed' ? 1 : 0,
      );
    }
    const { length } = await typesOf(tenant);
    await appendBatch(store().database, batch, { logName });
    expect(await typesOf(tenant)).toHaveLength(length);
    expect(await findings(tenant)).toEqual([]);
  });

  test('messages that are read again add no record, whatever their batches', async () => {
    const [tenant, producer, topicId] = [newTenant(), uuidv7(), uuidv7()];
    const events = [anEvent(tenant), anEvent(tenant), anEvent(tenant)];
    const ingest = (offset: number) => ({
      source: `kafka:cluster/topic/0/${offset}`,
      trust: 'topic-acl' as const,
      producer_id: producer,
      producer_seq: offset + 1,
    });
    const items = [0, 1, 1, 2].map((event, offset) => ({
      ...itemOf(events[event]!),
      ingest: ingest(offset),
    }));
    const statements = [
      {
        submitter: 'kafka:cluster/topic',
        producerId: producer,
        service: 'cms',
        gaps: [],
        final: [{ tenantId: tenant, finalSeq: 4 }],
        offset: 3,
      },
    ];
    const read = async (from: number, next: number) =>
      await appendBatch(
        store().database,
        {
          items: items.slice(from, next),
          statements: next === 4 ? statements : [],
          range: {
            ...{ clusterId: 'cluster', topicId, topic: 'topic', partition: 0, from, next },
            offsets: [0, 1, 2, 3].slice(from, next),
          },
        },
        { logName },
      );
    await read(0, 2);
    await read(1, 4);
    const types = await typesOf(tenant);
    expect(types.filter((type) => type === 'audit.accounts_changed')).toHaveLength(1);
    await read(0, 4);
    await read(2, 4);
    expect(await typesOf(tenant)).toEqual(types);
    expect(await findings(tenant)).toEqual([]);
  });

  test('an account of an earlier version is neither accused nor trusted before it is on record', async () => {
    const { tenant, producer } = await anAccount();
    const of = `where producer_id = '${producer}'`;
    await store().asOwner(`update audit_producers set on_record = false, final_seq = 12 ${of}`);
    const found: Finding[] = [];
    const compared = await checkBooks(
      query,
      { tenantId: tenant },
      { add: (finding) => void found.push(finding) },
    );
    expect([found, compared]).toEqual([[], { accountsNotOnRecord: 1 }]);
    await store().asOwner(`update audit_producers set on_record = true, final_seq = 9 ${of}`);
    expect(await findings(tenant)).toEqual([]);
  });

  test('a slice of the accounts is the same in the database as in the verifier', async () => {
    const { tenant, producer } = await anAccount();
    for (const bits of [1, 5, 24]) {
      const isIn = async (value: number) =>
        (await readAccounts(query, tenant, [], { bits, value }))!.accounts.length === 1;
      const digest = Buffer.from(sha256(`${submitter}\n${producer}`)).readUIntBE(0, 3);
      expect(await isIn(digest >>> (24 - bits))).toBe(true);
      expect(await isIn((digest >>> (24 - bits)) ^ 1)).toBe(false);
    }
  });

  test('an id without a time can be pruned, and a UUIDv7 of the last thirty days can not', async () => {
    const [young, random] = [uuidv7(), 'f0e1d2c3-b4a5-4697-8877-665544332211'];
    for (const producer of [young, random]) {
      const tenant = newTenant();
      await append([numbered(anEvent(tenant), producer, 1)], {
        producerId: producer,
        final: [{ tenantId: tenant, finalSeq: 1 }],
      });
    }
    await store().asOwner(
      `update audit_producers set last_seen_at = now() - interval '31 days' where producer_id in ('${young}', '${random}')`,
    );
    const { database } = store();
    const appendRanges = rangeAppender(database, { logName }, {});
    expect(await pruneAccounts({ database, appendRanges, serviceTenant: 'tallystick' }, Date.now())).toBe(1);
    const left = await query(
      'select producer_id::text as id from audit_producers where producer_id = any ($1::uuid[])',
      [[young, random]],
    );
    expect(left).toEqual([{ id: young }]);
  });

  test('accounts of an earlier version are put on record once, and later changes keep agreeing', async () => {
    const { tenant, producer } = await anAccount();
    const { database } = store();
    const target = {
      database,
      appendRanges: rangeAppender(database, { logName }, {}),
      serviceTenant: 'tallystick',
    };
    // As the row of an earlier version, which had no records of what it knew.
    await store().asOwner(
      `update audit_producers set on_record = false, settled_to = 3, final_seq = 12 where producer_id = '${producer}'`,
    );
    await openBooks(target, Date.now());
    expect(await findings(tenant)).toEqual([]);
    expect(await findings('tallystick')).toEqual([]);
    await append([numbered(anEvent(tenant), producer, 4), refused(tenant, producer, 8)]);
    expect(await findings(tenant)).toEqual([]);

    const { length } = await recordsOf(database, 'tallystick');
    await store().asOwner(`update audit_producers set on_record = false where producer_id = '${producer}'`);
    await openBooks(target, Date.now());
    expect(await recordsOf(database, 'tallystick')).toHaveLength(length);
    expect(await findings(tenant)).toEqual([
      named(producer, tenant, 'a row with a change that no chain records'),
    ]);
  });
});
