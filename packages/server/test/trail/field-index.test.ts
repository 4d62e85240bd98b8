import { type EventFilters, fieldTerms, termHashes } from '@tallystick/event';
import { verifyStore } from '@tallystick/verify';
import { describe, expect, it } from 'vitest';
import { fieldIndex } from '../../src/followers/field-index/field-index.ts';
import { ReadAudit } from '../../src/operations/read-audit.ts';
import { verifyRange } from '../../src/proofs/verification/verify-range.ts';
import { writer } from '../../src/store/database.ts';
import { follow } from '../../src/trail/follow.ts';
import { HeadWatch } from '../../src/trail/tail.ts';
import { Trail } from '../../src/trail/trail.ts';
import { logName } from '../events.ts';
import { type Fields, followedTrail } from './followed-trail.ts';

const all = { sensitive: true };
const site = followedTrail();
const { submit, asOwner, found } = site;
const index = () => site.follow([fieldIndex()]);

const events: readonly Fields[] = [
  { source_ip: '10.1.2.3', metadata: { platform: 'web', 'http.status': 200 } },
  { source_ip: '10.1.2.4', metadata: { platform: 'ios', http: { status: 404 } }, severity: 'critical' },
  {
    source_ip: '192.168.0.1',
    entity_ids: ['host-1', 'host-2'],
    context: { tags: ['a', 'b'], deep: { ok: true } },
  },
  {
    source_ip: '2001:db8::1',
    actor_type: 'agent',
    actor_id: 'bot',
    on_behalf_of: [{ actor_type: 'user', actor_id: 'ann' }],
  },
  { source_ip: '::ffff:10.1.2.3', entity_ids: ['host-2'] },
  {
    actor_type: 'service',
    actor_id: 'bot',
    on_behalf_of: [{ actor_type: 'agent', actor_id: 'arn:aws:iam' }],
  },
  { event_type: 'auth.login.failed', metadata: { platform: 'web', nothing: null } },
  { metadata: { platform: 'w'.repeat(600), __proto__x: 'y' }, outcome: { outcome_status: 'denied' } },
];

// Position 0 is the genesis record, and the event at index n is record n + 1.
const questions: readonly (readonly [EventFilters, readonly number[]])[] = [
  [{ source_ip: '10.1.2.3' }, [1, 5]],
  [{ source_ip: '10.0.0.0/8' }, [1, 2, 5]],
  [{ source_ip: '10.1.2.0/30' }, [1, 5]],
  [{ source_ip: '0.0.0.0/0' }, [1, 2, 3, 5]],
  [{ source_ip: '2001:db8::/33' }, [4]],
  [{ source_ip: '::/0' }, [4]],
  [{ source_ip: ['192.168.0.0/16', '2001:db8::1'] }, [3, 4]],
  [{ entity_ids: 'host-2' }, [3, 5]],
  [{ entity_ids: ['host-1', 'host-2', 'host-3'] }, [3, 5]],
  [{ on_behalf_of: 'ann' }, [4]],
  [{ on_behalf_of: 'user:ann' }, [4]],
  [{ on_behalf_of: 'agent:ann' }, []],
  [{ on_behalf_of: 'arn:aws:iam' }, [6]],
  [{ 'metadata.platform': 'web' }, [1, 7]],
  [{ 'metadata.platform': ['web', 'ios'] }, [1, 2, 7]],
  [{ 'metadata.http.status': '200' }, [1]],
  [{ 'metadata.http.status': ['200', '404'] }, [1, 2]],
  [{ 'metadata.nothing': 'null' }, [7]],
  [{ 'context.tags': 'b' }, [3]],
  [{ 'context.deep.ok': 'true' }, [3]],
  [{ 'context.deep': 'true' }, []],
  [{ 'metadata.platform': 'w'.repeat(512) }, []],
  [{ 'metadata.platform': 'web', event_type: 'auth.*' }, [7]],
  [{ 'metadata.platform': ['web', 'ios'], severity: 'critical' }, [2]],
  [{ 'metadata.platform': ['web', 'ios'], severity: 'info' }, [1, 7]],
  [{ 'metadata.platform': 'web', not: { event_type: 'auth.*' } }, [1]],
  [{ source_ip: '10.0.0.0/8', not: { 'metadata.platform': 'ios' } }, [1, 5]],
  [{ actor: 'bot', not: { on_behalf_of: 'ann' } }, [6]],
  [{ actor: 'agent:bot', source_ip: '::/0' }, [4]],
  [
    { event_type: 'content.publish', not: { source_ip: ['10.0.0.0/8', '::/0'], entity_ids: 'host-1' } },
    [6, 8],
  ],
  [{ outcome_status: 'denied', not: { 'metadata.platform': 'web' } }, [8]],
];

/** What a pattern and JSON write in another way. */
const hostile = '50%_\\"\n\u0001é{}';

/** Found by the index of the actor's column, where other columns and the texts of records are compared too. */
const ofActors: readonly Fields[] = [
  { actor_type: 'agent', actor_id: 'x', metadata: { name: hostile, size: 1.5e-7 }, entity_ids: ['h'] },
  { actor_type: 'user', actor_id: 'x', metadata: { name: 'a50b\\u00e9', size: 10 }, severity: 'critical' },
  {
    actor_type: 'agent',
    actor_id: 'bot',
    on_behalf_of: [{ actor_type: 'user', actor_id: 'ann' }],
  },
  // The text of a long record is not searched.
  { actor_type: 'user', actor_id: 'long', metadata: { name: hostile, text: 'l'.repeat(9_000) } },
];

const actorQuestions: readonly (readonly [EventFilters, readonly number[]])[] = [
  [{ actor_id: 'x', 'metadata.name': hostile }, [1]],
  [{ actor_id: 'x', 'metadata.name': ['50', hostile.slice(0, 3), '50%'] }, []],
  [{ actor_id: 'x', 'metadata.name': 'a50b\\u00e9' }, [2]],
  [{ actor: 'user:x', 'metadata.size': ['10', '1.5e-7'] }, [2]],
  [{ actor: 'x', 'metadata.size': '1.5e-7', entity_ids: 'h', 'metadata.name': hostile }, [1]],
  [{ actor_id: 'x', severity: 'info' }, [1]],
  [{ actor_id: 'x', not: { severity: 'info' } }, [2]],
  [{ actor_id: 'x', event_type: 'content.*', not: { actor_type: ['agent', 'service'] } }, [2]],
  [{ actor_id: 'x', not: { event_type: ['content.*', 'a.b'] } }, []],
  [{ actor_id: 'x', is_sensitive: false, not: { actor: 'user:x' } }, [1]],
  [{ actor_id: 'x', actor: ['agent:x', 'user:y'] }, [1]],
  [{ actor_id: 'bot', on_behalf_of: 'user:ann' }, [3]],
  [{ actor_id: 'bot', on_behalf_of: 'agent:ann' }, []],
  [{ actor_id: 'long', 'metadata.name': hostile }, [4]],
  [{ actor_id: 'long', 'metadata.name': 'else' }, []],
];

const rare = { metadata: { job: 'rare' } };
const common = { metadata: { job: 'common' } };
const longEvents = Array.from({ length: 4_500 }, (_, at) => (at % 2_200 === 0 ? rare : common));
let long: Promise<void> | undefined;

/** The chain `long`, which is longer than a block of the index, for the tests that look at its blocks: each of them may run alone. */
function makeLong(): Promise<void> {
  long ??= (async () => {
    for (let at = 0; at < longEvents.length; at += 1_500) {
      await submit('long', longEvents.slice(at, at + 1_500));
      // Each time, the follower is a new one: it makes the summary of the first block from the chain.
      await index();
    }
  })();
  return long;
}

describe('filters on fields without a column', () => {
  const ask = async (tenantId: string, asked = questions) => {
    for (const [filters, expected] of asked) {
      const message = JSON.stringify(filters);
      expect(await found({ tenantId, filters, limit: 2, order: 'asc' }), message).toEqual(expected);
      expect(await found({ tenantId, filters, limit: 50 }), message).toEqual(expected.toReversed());
    }
  };

  it('find the same without an index and with one', async () => {
    await submit('asked', events);
    await ask('asked');
    await index();
    await ask('asked');
  });

  it('find the same by the index of a column', async () => {
    await submit('actors', ofActors);
    await ask('actors', actorQuestions);
    await index();
    await ask('actors', actorQuestions);
  });

  it('find the same with a part of the index, and while it is rebuilt', async () => {
    await submit('grown', events.slice(0, 4));
    await index();
    await submit('grown', events.slice(4));
    await ask('grown');
    await site.service.followerOperations.reset('field-index');
    await ask('grown');
    await index();
    await ask('grown');
    await site.service.followerOperations.reset('field-index', 'grown');
    await ask('grown');
  });

  it('search one block of records after the other', async () => {
    await makeLong();
    const filters = { 'metadata.job': 'rare' };
    expect(await found({ tenantId: 'long', filters })).toEqual([4_401, 2_201, 1]);
    expect(await found({ tenantId: 'long', filters, order: 'asc' })).toEqual([1, 2_201, 4_401]);
    const of = { tenantId: 'long', filters: { 'metadata.job': ['rare', 'common'] }, limit: 1_000 };
    expect(await found(of)).toEqual(longEvents.map((_, at) => at + 1).toReversed());
    const page = await site.trail.list({ tenantId: 'long', filters: { 'metadata.job': 'none' } }, all);
    expect(page).toMatchObject({ events: [], nextCursor: undefined, isCut: false });

    // A budget ends a page early, says so, and the next page goes on.
    const hasty = new Trail(site.service.database, { records: 100, searches: 2 });
    expect(await found({ tenantId: 'long', filters }, { reader: hasty })).toEqual([4_401, 2_201, 1]);
    const negated = { event_type: 'content.publish', not: { 'metadata.job': 'common' } };
    const first = await hasty.list({ tenantId: 'long', filters: negated, order: 'asc' }, all);
    expect(first).toMatchObject({ isCut: true, nextCursor: expect.any(String) });
    expect(first.events.map((event) => event.sequence_number)).toEqual([1]);
    const query = { tenantId: 'long', filters: negated, order: 'asc' } as const;
    expect(await found(query, { reader: hasty })).toEqual([1, 2_201, 4_401]);
    await submit(
      'long',
      Array.from({ length: 300 }, () => common),
    );
    const behind = await hasty.list({ tenantId: 'long', filters }, all);
    expect(behind).toMatchObject({ events: [], isCut: true, indexedTo: 4_500 });
    expect(await found({ tenantId: 'long', filters }, { reader: hasty })).toEqual([4_401, 2_201, 1]);
  }, 120_000);

  it('look only into full blocks whose summary has the terms and the times', async () => {
    await makeLong();
    const of = "audit_field_blocks where tenant_id = 'long'";
    const summaries = () =>
      site.service.database.query(writer, `select block, oldest, newest, terms from ${of}`);
    const ask = (more: EventFilters) =>
      found({ tenantId: 'long', filters: { 'metadata.job': 'rare', ...more } });
    const findings = async () => {
      const check = { tenantId: 'long', logName, keys: [] };
      const report = await verifyStore(
        (sql, values) => site.service.database.query(writer, sql, values),
        check,
      );
      return report.findings.flatMap(({ code, sequence_number, found: what }) =>
        code === 'INDEX_MISMATCH' ? [`${sequence_number} ${what}`] : [],
      );
    };
    const made = await summaries();
    expect(made).toMatchObject([{ block: 0 }]);
    const before = { to: (made[0] as { newest: Date }).newest.toISOString() };
    expect(await ask({ to: '9999-01-01T00:00:00Z' })).toEqual([4_401, 2_201, 1]);
    expect(await ask(before)).toContain(2_201);

    // One follower collects the same as those that took turns.
    await site.service.followerOperations.reset('field-index', 'long');
    expect(await summaries()).toEqual([]);
    await index();
    expect(await summaries()).toEqual(made);
    expect(await findings()).toEqual([]);

    // Who can write to the store can hide records from searches. A verification finds it.
    await asOwner(`update ${of.replace(' where', ' set newest = oldest where')}`);
    expect(await ask({ from: before.to })).not.toContain(2_201);
    expect(await findings()).toEqual(['0 a summary with other times than those of its records']);
    await asOwner(`update ${of.replace(' where', " set terms = '{}' where")}`);
    expect(await ask({})).toEqual([4_401]);
    expect(await findings()).toEqual(['0 a summary with other terms than those of its records']);
    await asOwner(`update ${of.replace(' where', ' set block = 1 where')}`);
    expect(await ask({})).toEqual([4_401, 2_201, 1]);
    expect(await findings()).toEqual([
      '4096 a summary of records that the index does not have',
      '4096 a summary of records that the chain does not have',
    ]);
  }, 120_000);

  /** Found by reading it again: the hash of a term in one block is that of another term in another block now and then. */
  it('take a record for a candidate of its own block alone', async () => {
    await makeLong();
    const scope = { tenantId: 'long', epoch: 1, block: 1 };
    const [hash] = termHashes(scope, ['metadata.job=chance']);
    const of = "tenant_id = 'long' and sequence_number";
    const added = `array(select t from unnest(terms || ${hash}) as t order by t)`;
    await asOwner(`update audit_field_terms set terms = ${added} where ${of} in (5, 4400)`);
    const groups = `{"{${hash}}","{${termHashes({ ...scope, block: 0 }, ['metadata.job=chance'])}}"}`;
    const sql = 'select sequence_number from tally_search_blocks($1, 1, 0, 5000, $2, $3, $4, true, 10)';
    const candidates = await site.service.database.query<{ sequence_number: number | null }>(
      { role: 'reader', tenants: ['long'] },
      sql,
      ['long', [1, 0], [], [groups]],
    );
    expect(candidates.map(({ sequence_number }) => sequence_number)).toEqual([null, 4_400]);
    const taken = `array(select t from unnest(terms) as t where t <> ${hash} order by t)`;
    await asOwner(`update audit_field_terms set terms = ${taken} where ${of} in (5, 4400)`);
  });

  it('neither find nor count sensitive records without the scope', async () => {
    const secret = { actor_id: 'eve', is_sensitive: true, metadata: { platform: 'web' } };
    await submit('hidden', [{ actor_id: 'eve', metadata: { platform: 'web' } }, secret]);
    const ask = async () => {
      const ofEve = { tenantId: 'hidden', filters: { actor_id: 'eve', 'metadata.platform': 'web' } };
      expect(await found(ofEve, { view: { sensitive: false } })).toEqual([1]);
      expect(await found(ofEve)).toEqual([2, 1]);
      const filters = { 'metadata.platform': 'web' };
      expect(await found({ tenantId: 'hidden', filters }, { view: { sensitive: false } })).toEqual([1]);
      expect(await found({ tenantId: 'hidden', filters })).toEqual([2, 1]);
      const negated = { event_type: 'content.publish', not: { 'metadata.platform': 'ios' } };
      expect(await found({ tenantId: 'hidden', filters: negated }, { view: { sensitive: false } })).toEqual([
        1,
      ]);
    };
    await ask();
    await index();
    await ask();
    // A changed column does not disclose it: the record decides too.
    await asOwner(`alter table audit_records disable trigger user`);
    await asOwner(`update audit_records set is_sensitive = false where tenant_id = 'hidden'`);
    await asOwner(`alter table audit_records enable trigger user`);
    await ask();
  });

  it('leave records of reads out and say so', async () => {
    await submit('reads', [{ metadata: { platform: 'web' } }]);
    const list = { tenantId: 'reads', filters: { not: { 'metadata.platform': 'ios' } }, includeReads: false };
    expect((await site.trail.list(list, all)).readsLeftOut).toBe(false);
    await new ReadAudit(site.service.database, site.service.writer).read({
      principal: 'reader',
      tenantId: 'reads',
    });
    const page = await site.trail.list(list, all);
    expect(page.readsLeftOut).toBe(true);
    expect(page.events.map((event) => event.sequence_number)).toEqual([1, 0]);
    expect(await found({ ...list, includeReads: true })).toEqual([2, 1, 0]);
  });

  it('find an event with more terms than the index keeps, and nothing that is sealed', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`m${at}`, String(at)]));
    const sealed = { '/metadata/name': 'a'.repeat(64) };
    await submit('odd', [{ metadata: many }, { metadata: { platform: 'web' }, sealed }]);
    await index();
    expect(await found({ tenantId: 'odd', filters: { 'metadata.m1499': '1499' } })).toEqual([1]);
    expect(await found({ tenantId: 'odd', filters: { 'metadata.platform': 'web' } })).toEqual([2]);
    expect(await found({ tenantId: 'odd', filters: { 'metadata.name': 'a'.repeat(64) } })).toEqual([]);
    const terms = fieldTerms({ event_type: 'a.b', metadata: { platform: 'web' }, sealed });
    expect(terms.filter((term) => term.includes('name') || term.includes('aaaa'))).toEqual([]);
  });

  it('narrow a stream', async () => {
    await submit('live', [{}]);
    const heads = new HeadWatch(site.service.database, 5);
    const stop = new AbortController();
    const filters = { 'metadata.platform': 'web', not: { source_ip: '10.0.0.0/8' } };
    const stream = follow(site.trail, heads, { tenantId: 'live', filters, view: all }, stop.signal);
    const next = stream.next();
    // The stream begins after the head that it reads first.
    await site.trail.head('live');
    await submit('live', events);
    await submit('live', [{ metadata: { platform: 'web' } }]);
    expect((await next).value?.position.sequence).toBe(8);
    expect((await stream.next()).value?.position.sequence).toBe(10);
    stop.abort();
    await stream.return(undefined);
  });
});

describe('the index', () => {
  /** Each scan reads the pending list, and a search scans the index for each block: with 400 kB in the list it took twenty times as long. */
  it('has a short pending list: the follower moves it into the index, at most every ten seconds', async () => {
    let now = 0;
    const follower = fieldIndex({ now: () => now });
    const pending = async () => {
      const sql = "select gin_clean_pending_list('audit_field_terms_terms') as pages";
      const [row] = (await asOwner(sql)) as { readonly pages: number }[];
      return row!.pages;
    };
    const write = async () => {
      await submit('pending', [{ metadata: { platform: 'web' } }]);
      await site.follow([follower]);
    };
    // The follower of the test then reads this one chain.
    await index();
    await write();
    expect(await pending()).toBe(0);
    now = 9_999;
    await write();
    expect(await pending()).toBeGreaterThan(0);
    now = 10_000;
    await write();
    expect(await pending()).toBe(0);
    const clean = (table: string) =>
      site.service.database.query(writer, 'select tally_clean_terms($1)', [table]);
    await expect(clean('audit_records')).rejects.toThrow(/no index of terms/);
    const reader = { role: 'reader', tenants: ['pending'] } as const;
    await expect(
      site.service.database.query(reader, "select tally_clean_terms('audit_field_terms')"),
    ).rejects.toThrow(/permission/);
    expect(await found({ tenantId: 'pending', filters: { 'metadata.platform': 'web' } })).toEqual([3, 2, 1]);
  });

  it('is closed to readers of other tenants', async () => {
    await submit('own', [{ metadata: { platform: 'web' } }]);
    await index();
    const search = `select * from tally_search_blocks($1, 1, 0, 10, '{0}', '{}', array['{"{1}"}'], true, 10)`;
    const reader = { role: 'reader', tenants: ['own'] } as const;
    await expect(site.service.database.query(reader, search, ['own'])).resolves.toHaveLength(1);
    await expect(site.service.database.query(reader, search, ['asked'])).rejects.toThrow(
      /has not set the tenant/,
    );
    await expect(site.service.database.query(reader, search, [null])).rejects.toThrow(
      /has not set the tenant/,
    );
    await expect(
      site.service.database.query({ role: 'reader', tenants: [] }, search, ['own']),
    ).rejects.toThrow(/has not set/);
    await expect(site.service.database.query(writer, search, ['own'])).rejects.toThrow(
      /has not set the tenant/,
    );
    for (const table of ['audit_field_terms', 'audit_field_blocks', 'audit_search_blocks'])
      await expect(site.service.database.query(reader, `select * from ${table}`)).rejects.toThrow(
        /permission/,
      );
    const blocks = (tenant: string | null) =>
      site.service.database.query(
        reader,
        "select * from tally_find_blocks($1, 1, 0, 10, '{}', '{}', '-infinity', 'infinity')",
        [tenant],
      );
    await expect(blocks('asked')).rejects.toThrow(/has not set the tenant/);
    await expect(blocks(null)).rejects.toThrow(/has not set the tenant/);
    expect(await blocks('own')).toHaveLength(11);
    const wide = "select * from tally_find_blocks('own', 1, 0, 4096, '{}', '{}', '-infinity', 'infinity')";
    await expect(site.service.database.query(reader, wide)).rejects.toThrow(/4096 blocks at most/);
    for (const forged of [`{1}'') or true --`, `{"{1}'') or true --"}`]) {
      const injected = `select * from tally_search_blocks('own', 1, 0, 10, '{0}', '{}', array['${forged}'], true, 10)`;
      await expect(site.service.database.query(reader, injected)).rejects.toThrow(/malformed array/);
    }
    const free = "select * from tally_search_blocks('own', 1, 0, 10, '{0}', '{}', '{}', true, 10)";
    await expect(site.service.database.query(reader, free)).rejects.toThrow(/needs a term/);
  });

  it('is compared with the records by every verification', async () => {
    await submit('checked', events);
    await index();
    const findings = async () => {
      const report = await verifyRange(site.service, site.trail, { tenantId: 'checked', fresh: true });
      const ofService = report.findings.map(
        ({ code, sequence_number, found }) => `${code} ${sequence_number} ${found}`,
      );
      const outside = await verifyStore((sql, values) => site.service.database.query(writer, sql, values), {
        tenantId: 'checked',
        logName,
        keys: site.service.signer
          .verifierKeys(site.service.logs.origin({ tenantId: 'checked', epoch: 1 }))
          .map(({ key }) => key),
      });
      expect(
        outside.findings.map(({ code, sequence_number, found }) => `${code} ${sequence_number} ${found}`),
      ).toEqual(ofService);
      expect(outside.verdict).toBe(report.verdict);
      return ofService;
    };
    expect(await findings()).toEqual([]);
    const of = (sequence: number) => `tenant_id = 'checked' and sequence_number = ${sequence}`;
    await asOwner(`update audit_field_terms set terms = terms[2:] where ${of(2)}`);
    await asOwner(`delete from audit_field_terms where ${of(5)}`);
    await asOwner(
      `insert into audit_field_terms select generation, tenant_id, epoch, 99, terms from audit_field_terms where ${of(1)}`,
    );
    expect(await findings()).toEqual([
      'INDEX_MISMATCH 2 other terms than those of the record',
      'INDEX_MISMATCH 5 no row',
      'INDEX_MISMATCH 99 a row without a record',
    ]);
    await site.service.followerOperations.reset('field-index', 'checked');
    expect(await findings()).toEqual([]);
    // What is not indexed yet is no finding: reads take it from the chain.
    await index();
    await submit('checked', [{}]);
    expect(await findings()).toEqual([]);
  });
});
