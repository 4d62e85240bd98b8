import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldIndex } from '../../src/followers/field-index/field-index.ts';
import { searchIndex } from '../../src/followers/search-index/search-index.ts';
import { verifyRange } from '../../src/proofs/verification/verify-range.ts';
import { writer } from '../../src/store/database.ts';
import { TrailStats } from '../../src/trail/stats/stats.ts';
import { type ListQuery, Trail } from '../../src/trail/trail.ts';
import { everySite } from '../sites.ts';
import { type Fields, followedTrail } from './followed-trail.ts';

const all = { sensitive: true };

const events: readonly Fields[] = [
  { source_ip: '10.1.2.3', metadata: { note: 'Wrong password, third attempt' } },
  { metadata: { from: 'maria.lopez@example.com', host: 'web-3.eu.example.com' }, severity: 'critical' },
  { metadata: { note: 'third wrong attempt from 10.9.9.9:443' }, outcome: { outcome_status: 'success' } },
  { actor_type: 'agent', actor_id: 'triage-bot', context: { path: '/var/log/auth.log' } },
  { target_id: 'INV-2031', metadata: { note: 'Straße gesperrt', more: ['déjà vu', '東京タワー'] } },
];

// Position 0 is the genesis record, and the event at index n is record n + 1.
const questions: readonly (readonly [string, Omit<ListQuery, 'tenantId'>, readonly number[]])[] = [
  ['"wrong password"', {}, [1]],
  ['wrong attempt', {}, [1, 3]],
  ['attempt -success', {}, [1]],
  ['maria.lopez@example.com', {}, [2]],
  ['example.com', {}, [2]],
  ['exam*', {}, [2]],
  ['10.0.0.0/8', {}, [1, 3]],
  ['10.9.9.9', {}, [3]],
  ['10.0.0.0/8 -10.1.0.0/16', {}, [3]],
  ['/var/log', {}, [4]],
  ['inv-2031 STRASSE', {}, [5]],
  ['"DÉJÀ VU"', {}, [5]],
  ['東京', {}, [5]],
  ['actor:triage-bot', {}, [4]],
  ['actor:ann third', {}, [1, 3]],
  ['third -outcome:success', {}, [1]],
  ['severity:critical example', {}, [2]],
  ['third', { filters: { severity: 'critical' } }, []],
  ['third', { filters: { source_ip: '10.0.0.0/8', not: { outcome_status: 'success' } } }, [1]],
  ['-third -example', { filters: { event_type: 'content.*' } }, [4, 5]],
  ['nowhere', {}, []],
  ['password OR strasse', {}, [1, 5]],
  ['severity:critical OR outcome:success', {}, [2, 3]],
  ['wrong -success OR 東京 OR severity:critical', {}, [1, 2, 5]],
  ['third (password OR outcome:success) -10.1.0.0/16', {}, [3]],
  ['-(third OR example) -"var log"', { filters: { event_type: 'content.*' } }, [5]],
  ['nowhere OR actor:triage-bot', { filters: { actor: 'agent:triage-bot' } }, [4]],
  ['nowhere OR actor:triage-bot', { filters: { severity: 'critical' } }, []],
  ['nowhere OR -third', { filters: { event_type: 'content.*' } }, [2, 4, 5]],
];

/** A search, and whether it finds the event at a position of the chain. */
interface Asked {
  readonly q: string;
  readonly holds: (at: number) => boolean;
}

const parts: readonly Asked[] = [
  { q: 'delet*', holds: (at) => at % 2 === 0 },
  { q: '"a page"', holds: (at) => at % 2 === 1 },
  { q: 'outcome:denied', holds: (at) => at % 4 === 0 },
  { q: 'actor:user:mia', holds: (at) => at % 3 === 0 },
  { q: '"place 3"', holds: (at) => at % 5 === 3 },
  { q: 'nowhere', holds: () => false },
];
const negation = (each: Asked): Asked => ({ q: `-${each.q}`, holds: (at) => !each.holds(at) });
const { search } = fc.letrec<{ search: Asked; all: Asked; part: Asked }>((tie) => ({
  search: fc.array(tie('all'), { minLength: 1, maxLength: 3 }).map((each) => ({
    q: each.map(({ q }) => q).join(' OR '),
    holds: (at) => each.some(({ holds }) => holds(at)),
  })),
  all: fc.array(tie('part'), { minLength: 1, maxLength: 2 }).map((each) => ({
    q: each.map(({ q }) => q).join(' '),
    holds: (at) => each.every(({ holds }) => holds(at)),
  })),
  part: fc.oneof(
    { maxDepth: 2, depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...parts),
    fc.constantFrom(...parts).map(negation),
    tie('search').map(({ q, holds }) => ({ q: `(${q})`, holds })),
    tie('search').map(({ q, holds }) => negation({ q: `(${q})`, holds })),
  ),
}));

/** Searches that are not too large. */
const anySearch = search.filter(({ q }) => q.length <= 512 && q.split(/ (?:OR )?/).length <= 32);

// One table of cases for both stores: they must give the same answers.
describe.each(everySite)('on $kind', ({ make }) => {
  const site = followedTrail(make);
  const { submit, asOwner, found } = site;
  const index = (which = [fieldIndex(), searchIndex()]) => site.follow(which);

  describe('a search', () => {
    const ask = async (tenantId: string) => {
      for (const [q, query, expected] of questions) {
        const message = `${q} ${JSON.stringify(query)}`;
        expect(await found({ ...query, tenantId, q, limit: 1, order: 'asc' }), message).toEqual(expected);
        expect(await found({ ...query, tenantId, q }), message).toEqual(expected.toReversed());
      }
    };

    it('finds the same without an index, with one, with a part of it, and while it is rebuilt', async () => {
      await submit('asked', events.slice(0, 2));
      await index();
      await submit('asked', events.slice(2));
      await ask('asked');
      await index([searchIndex()]);
      await ask('asked');
      await index();
      await ask('asked');
      await site.service.followerOperations.reset('search-index');
      await ask('asked');
      await index();
      await ask('asked');
      await site.service.followerOperations.reset('search-index', 'asked');
      await ask('asked');
    });

    it('says where it ended early, and how far the index is', async () => {
      await submit('long', [{ metadata: { note: 'needle' } }]);
      await index();
      await submit(
        'long',
        Array.from({ length: 40 }, () => ({ metadata: { note: 'hay' } })),
      );
      const hasty = new Trail(site.service.database, { records: 10 });
      const page = await hasty.list({ tenantId: 'long', q: 'needle' }, all);
      expect(page).toMatchObject({ events: [], isCut: true, indexedTo: 1, nextCursor: expect.any(String) });
      expect(await found({ tenantId: 'long', q: 'needle' }, { reader: hasty })).toEqual([1]);
      const other = { tenantId: 'long', q: 'hay', cursor: page.nextCursor };
      await expect(hasty.list(other, all)).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
    });

    // Only the number of records was bounded: 5,000 of 256 KiB took a page over a gigabyte, and half a minute of the process.
    it('ends early where the records that it compares are large', async () => {
      const note = 'hay '.repeat(2_000);
      const large = Array.from({ length: 20 }, () => ({ metadata: { note } }));
      await submit('large', [{ metadata: { note: 'needle' } }, ...large]);
      const hasty = new Trail(site.service.database, { characters: 50_000 });
      const page = await hasty.list({ tenantId: 'large', q: 'needle' }, all);
      expect(page).toMatchObject({ events: [], isCut: true, nextCursor: expect.any(String) });
      expect(await found({ tenantId: 'large', q: 'needle' }, { reader: hasty })).toEqual([1]);
      const stats = new TrailStats(site.service.database, hasty);
      const counted = await stats.count({ tenantId: 'large', q: 'hay', groupings: [] }, all);
      expect([counted.complete, counted.records < 20]).toEqual([false, true]);
    });

    it('neither finds nor counts sensitive records without the scope, and nothing that is sealed', async () => {
      const sealed = { '/metadata/name': 'ab'.repeat(32) };
      await submit('hidden', [
        { metadata: { note: 'needle' } },
        { is_sensitive: true, metadata: { note: 'needle' } },
        { sealed, metadata: { note: 'other' } },
      ]);
      const ask = async () => {
        const of = (q: string, sensitive: boolean) =>
          found({ tenantId: 'hidden', q }, { view: { sensitive } });
        expect(await of('needle', false)).toEqual([1]);
        expect(await of('needle', true)).toEqual([2, 1]);
        expect(await of('-other type:content.*', false)).toEqual([1]);
        expect(await of('abab*', true)).toEqual([]);
        expect(await of('absent OR needle', false)).toEqual([1]);
        expect(await of('needle OR is_sensitive:true', false)).toEqual([1]);
        expect(await of('is_sensitive:true OR abab*', true)).toEqual([2]);
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

    it('finds what an evaluation of all records finds, for any search', async () => {
      const fieldsAt = (at: number): Fields => ({
        actor_id: at % 3 === 0 ? 'mia' : 'ann',
        outcome: { outcome_status: at % 4 === 0 ? 'denied' : 'success' },
        metadata: { note: `${at % 2 === 0 ? 'deleted a file' : 'read a page'}, place ${at % 5}` },
      });
      const count = 120;
      const made = Array.from({ length: count }, (_, at) => fieldsAt(at + 1));
      await submit('random', made.slice(0, 100));
      await index();
      // The indexes lack the last records.
      await submit('random', made.slice(100));
      const hasty = new Trail(site.service.database, { records: 40, rows: 60, searches: 5 });
      await fc.assert(
        fc.asyncProperty(anySearch, fc.constantFrom('asc', 'desc'), async ({ q, holds }, order) => {
          const expected = made.flatMap((_, nth) => (holds(nth + 1) ? [nth + 1] : []));
          if (order === 'desc') expected.reverse();
          const query = { tenantId: 'random', q, order, limit: 25, filters: { event_type: 'content.*' } };
          expect(await found(query, { reader: hasty }), q).toEqual(expected);
        }),
        { numRuns: 40 },
      );
    });

    it('is refused with the place of its fault', async () => {
      await expect(site.trail.list({ tenantId: 'asked', q: 'third colour:red' }, all)).rejects.toMatchObject({
        code: 'PARAMETER_INVALID',
        message: expect.stringContaining('q, at character 7: "colour" is not a field'),
        details: { parameter: 'q', reason: 'SEARCH_FIELD_UNKNOWN', position: 6 },
      });
    });
  });

  describe('the search index', () => {
    it('is closed to readers of other tenants', async () => {
      await submit('own', [{}]);
      await index();
      const search = `select * from tally_search_blocks($1, 1, 0, 10, '{0}', array['{"{1}"}'], array[]::text[], true, 10)`;
      const reader = { role: 'reader', tenants: ['own'] } as const;
      await expect(site.service.database.query(reader, search, ['own'])).resolves.toHaveLength(1);
      await expect(site.service.database.query(reader, search, ['asked'])).rejects.toThrow(
        /has not set the tenant/,
      );
      await expect(site.service.database.query(writer, search, ['own'])).rejects.toThrow(
        /has not set the tenant/,
      );
      await expect(site.service.database.query(reader, 'select * from audit_search_terms')).rejects.toThrow(
        /permission/,
      );
      const forged = `select * from tally_search_blocks('own', 1, 0, 10, '{0}', array['{"{1}'') or true --"}'], array[]::text[], true, 10)`;
      await expect(site.service.database.query(reader, forged)).rejects.toThrow(/malformed array/);
    });

    it('is compared with the records by every verification', async () => {
      await submit('checked', events);
      await index();
      const findings = async () =>
        (await verifyRange(site.service, site.trail, { tenantId: 'checked', fresh: true })).findings.map(
          ({ code, sequence_number, found }) => `${code} ${sequence_number} ${found}`,
        );
      expect(await findings()).toEqual([]);
      const of = (sequence: number) => `tenant_id = 'checked' and sequence_number = ${sequence}`;
      await asOwner(`update audit_search_terms set terms = terms[2:] where ${of(2)}`);
      await asOwner(`delete from audit_search_terms where ${of(4)}`);
      await asOwner(
        `insert into audit_search_terms select generation, tenant_id, epoch, 99, terms from audit_search_terms where ${of(1)}`,
      );
      expect(await findings()).toEqual([
        'INDEX_MISMATCH 2 in the search index: other terms than those of the record',
        'INDEX_MISMATCH 4 in the search index: no row',
        'INDEX_MISMATCH 99 in the search index: a row without a record',
      ]);
      // A row that was removed hides its record from a search, and a forged row shows nothing.
      expect(await found({ tenantId: 'checked', q: '/var/log' })).toEqual([]);
      await site.service.followerOperations.reset('search-index', 'checked');
      await index();
      expect(await findings()).toEqual([]);
    });
  });
});
