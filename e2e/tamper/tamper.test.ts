import { randomBytes } from 'node:crypto';
import {
  emptyRoot,
  formatCheckpoint,
  importSigningKey,
  indexedColumnNames,
  sha256,
  signNote,
  toHex,
} from '@tallystick/log';
import type { Session } from '@tallystick/server/store';
import type { Report } from '@tallystick/verify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attacks, rewriteRecords } from '../../packages/cli/src/demo/attacks.ts';
import { acme, embeddedTrail, globex, large, logName, serverTrail, type WrittenTrail } from './trail.ts';

/**
 * Whoever owns the database can change every byte in it. Whatever they change is found, named and located by somebody
 * who holds the log's key, and, where the whole of it was rewritten, by a checkpoint that was kept elsewhere.
 */
describe.each([
  { kind: 'PGlite', open: embeddedTrail },
  { kind: 'PostgreSQL', open: serverTrail },
])('on $kind', ({ open }) => {
  let trail: WrittenTrail;
  beforeAll(async () => {
    trail = await open();
  }, 120_000);
  afterAll(() => trail?.close());

  const attack = (name: string) => (session: Session) =>
    attacks.find((one) => one.name === name)!.run(session, { tenantId: acme, logName, sequence: victim });
  const origin = `${logName}/${acme}/1`;

  describe('an untouched trail', () => {
    test('is verified up to its checkpoint, with or without the one that was kept', async () => {
      const expected = {
        verdict: 'verified',
        tenant_id: acme,
        records: 300,
        covered_to: 289,
        unsigned_tail: 10,
        trust: { source: 'given', keys: [trail.keys[acme]] },
        findings: [],
      };
      const notes: string[] = [];
      const onVouched = (note: string) => notes.push(note);
      expect(await trail.after(nothing, { onVouched })).toMatchObject(expected);
      expect(await trail.after(nothing, { checkpoints: [trail.notes[acme]!] })).toMatchObject(expected);
      expect(notes).toEqual([trail.notes[acme]]);
    });

    test('of more records than a page holds is read to its end', async () => {
      const seen: number[] = [];
      const report = await trail.after(nothing, {
        tenantId: large,
        onProgress: (records, expected) => seen.push(records, expected),
      });
      expect(report).toMatchObject({ verdict: 'verified', records: 2_100, unsigned_tail: 0 });
      expect(seen).toEqual([1_000, 2_100, 2_000, 2_100]);
    });

    test('is not verifiable without a key, without a checkpoint, and where there is none', async () => {
      const outcomes = async (...[crime, options]: Parameters<WrittenTrail['after']>) => {
        const report = await trail.after(crime, options);
        expect(report).toMatchObject({ verdict: 'not_verifiable', covered_to: null, unsigned_tail: 0 });
        return places(report);
      };
      expect(await outcomes(nothing, { keys: [] })).toEqual(['CHECKPOINT_UNTRUSTED']);
      expect(await outcomes(nothing, { keys: [trail.keys[globex]!] })).toEqual(['CHECKPOINT_UNTRUSTED']);
      expect(await outcomes(nothing, { tenantId: 'nobody', keys: [] })).toEqual(['NOTHING_COVERED']);
      const unsigned = (session: Session) => session.query('delete from audit_checkpoints');
      expect(await outcomes(unsigned)).toEqual(['CHECKPOINT_UNTRUSTED']);
      const ofNothing = await signNote(formatCheckpoint({ origin, size: 0, root: emptyRoot }), [
        { name: origin, key: trail.stolenKey },
      ]);
      expect(await outcomes(unsigned, { checkpoints: [ofNothing] })).toEqual(['NOTHING_COVERED']);
    });
  });

  describe('a record', () => {
    test('edited, in its bytes and its column', async () => {
      const report = await trail.after(attack('edit a field'));
      expect(report).toMatchObject({ verdict: 'broken', covered_to: null });
      expect(places(report)).toEqual([`RECORD_HASH_MISMATCH@${victim}`, ...treeOf(victim)]);
      // Never the hash that would make the forgery pass.
      const record = await forged(trail, attack('edit a field'));
      expect(JSON.stringify(report.findings[0])).not.toContain(toHex(sha256(record)));
    });

    test('edited, with its hash made to fit', async () => {
      const report = await trail.after((session) =>
        replaceRecord(
          session,
          (text) => text.replace('"success"', '"failure"'),
          "outcome_status = 'failure'",
        ),
      );
      expect(places(report)).toEqual([`CHAIN_LINK_BROKEN@${victim + 1}`, ...treeOf(victim)]);
    });

    test('whose stored hash was edited', async () => {
      const report = await trail.after((session) =>
        set(session, "record_hash = decode(repeat('ab', 32), 'hex')"),
      );
      expect(places(report)).toEqual([`RECORD_HASH_MISMATCH@${victim}`, `CHAIN_LINK_BROKEN@${victim + 1}`]);
    });

    test.each([
      ['spaces', (text: string) => text.replace(':', ': ')],
      ['a member twice', (text: string) => text.replace('{"event":', '{"event":{},"event":')],
      ['no JSON', () => 'rubbish'],
      ['JSON that is no record', () => '{}'],
      ['nothing', () => ''],
    ])('that is not canonical: %s', async (_, change) => {
      const report = await trail.after((session) => replaceRecord(session, change));
      expect(places(report)).toEqual([
        `RECORD_NOT_CANONICAL@${victim}`,
        `CHAIN_LINK_BROKEN@${victim + 1}`,
        ...treeOf(victim),
      ]);
    });

    test('deleted', async () => {
      const report = await trail.after(attack('delete a row'));
      expect(report.records).toBe(299);
      expect(report.findings[0]).toEqual({
        code: 'SEQUENCE_GAP',
        sequence_number: victim + 1,
        expected: String(victim),
        found: String(victim + 1),
      });
      expect(places(report)).toEqual([`SEQUENCE_GAP@${victim + 1}`, ...treeOf(victim)]);
    });

    test('moved to another tenant is missing from its own, and strange to the other', async () => {
      const move = (session: Session) => set(session, `tenant_id = '${globex}'`);
      expect(places(await trail.after(move))[0]).toBe(`SEQUENCE_GAP@${victim + 1}`);
      const other = places(await trail.after(move, { tenantId: globex }));
      expect(other).toContain(`TENANT_MISMATCH@${victim}`);
      expect(other).toContain(`SEQUENCE_GAP@${victim}`);
    });

    test('hidden in another epoch', async () => {
      expect(places(await trail.after((session) => set(session, 'epoch = 2')))[0]).toBe(
        `SEQUENCE_GAP@${victim + 1}`,
      );
    });

    test('swapped with its neighbour', async () => {
      const found = places(await trail.after(attack('swap two rows')));
      expect(found).toContain(`SEQUENCE_GAP@${victim}`);
      expect(found).toContain(`SEQUENCE_GAP@${victim + 1}`);
    });

    test('doubled: one position in two partitions', async () => {
      const found = places(await trail.after((session) => double(session, acme, victim)));
      expect(found).toContain(`SEQUENCE_DUPLICATE@${victim}`);
      expect(found).toContain(`COLUMN_MISMATCH@${victim}`);
      expect(found.filter((place) => place.startsWith('SEQUENCE_'))).toHaveLength(1);
    });

    test('copied from another tenant', async () => {
      const report = await trail.after(async (session) => {
        const [row] = await session.query<{ record: string }>(
          'select record from audit_records where tenant_id = $1 and sequence_number = 5',
          [globex],
        );
        await replaceRecord(session, () => row!.record);
      });
      const mismatch = report.findings.find(({ code }) => code === 'TENANT_MISMATCH');
      expect(mismatch).toEqual({
        code: 'TENANT_MISMATCH',
        sequence_number: victim,
        expected: acme,
        found: globex,
      });
    });

    test('added to the end', async () => {
      const report = await trail.after(async (session) => {
        await double(session, acme, 299);
        await session.query(
          `update audit_records set sequence_number = 300
            where tenant_id = $1 and sequence_number = 299 and ingested_at < date_trunc('month', clock_timestamp())`,
          [acme],
        );
      });
      expect(places(report)).toContain('HEAD_MISMATCH@300');
    });
  });

  test.each([...indexedColumnNames, 'ingested_at', 'previous_hash'])('column %s', async (column) => {
    const value = otherValues[column] ?? `'other'`;
    const report = await trail.after((session) => set(session, `"${column}" = ${value}`));
    expect(places(report)).toEqual([`COLUMN_MISMATCH@${victim}`]);
    expect(report.findings[0]!.expected).toMatch(new RegExp(`^${column}: `));
  });

  test.each(['target_id', 'severity'])('column %s emptied', async (column) => {
    const report = await trail.after((session) => set(session, `${column} = null`));
    expect(report.findings).toMatchObject([{ code: 'COLUMN_MISMATCH', found: 'null' }]);
  });

  describe('the genesis record', () => {
    const genesisOf = (change: (event: Record<string, unknown>) => object) => (session: Session) =>
      rewriteRecords(session, { tenantId: acme }, ({ event, sequence_number }) =>
        sequence_number === 0 ? { event: change(event as never) as never } : {},
      );

    test('of another log', async () => {
      const report = await trail.after(
        genesisOf((event) => ({
          ...event,
          metadata: { ...(event.metadata as object), origin: `other.example.com/${acme}/1` },
        })),
      );
      expect(report.findings[0]).toMatchObject({ code: 'GENESIS_INVALID', sequence_number: 0 });
    });

    test('made an ordinary record', async () => {
      const report = await trail.after(genesisOf((event) => ({ ...event, event_type: 'access.granted' })));
      expect(places(report)).toContain('GENESIS_INVALID@0');
    });

    test('deleted, and one in mid-chain', async () => {
      const remove = (session: Session) =>
        session.query('delete from audit_records where tenant_id = $1 and sequence_number = 0', [acme]);
      expect(places(await trail.after(remove))[0]).toBe('SEQUENCE_GAP@1');
      const report = await trail.after((session) =>
        rewriteRecords(session, { tenantId: acme }, ({ event, sequence_number }) =>
          sequence_number === victim ? { event: { ...event, event_type: 'system.genesis' } } : {},
        ),
      );
      expect(places(report)).toContain(`GENESIS_INVALID@${victim}`);
    });
  });

  describe('tiles', () => {
    const tile = (sql: string) => (session: Session) => session.query(sql);
    test.each([
      [
        'hashes',
        "update audit_tiles set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where tenant_id = 'acme'",
      ],
      [
        'root',
        "update audit_tiles set root = set_byte(root, 4, get_byte(root, 4) # 1) where tenant_id = 'acme'",
      ],
      ['length', "update audit_tiles set hashes = substr(hashes, 1, 32) where tenant_id = 'acme'"],
      ['nothing in it', "update audit_tiles set hashes = '', root = '' where tenant_id = 'acme'"],
      ['missing', "delete from audit_tiles where tenant_id = 'acme'"],
    ])('%s', async (_, sql) => {
      expect(places(await trail.after(tile(sql)))).toEqual(['TILE_MISMATCH@0']);
    });

    test('one too many', async () => {
      const extra = (level: number, index: number) =>
        tile(
          `insert into audit_tiles select tenant_id, epoch, ${level}, ${index}, root, hashes from audit_tiles where tenant_id = 'acme'`,
        );
      expect(places(await trail.after(extra(0, 1)))).toEqual(['TILE_MISMATCH@256']);
      expect(places(await trail.after(extra(1, 0)))).toEqual(['TILE_MISMATCH@0']);
    });
  });

  describe('the head', () => {
    const state = (assignment: string) => (session: Session) =>
      session.query(`update audit_chain_state set ${assignment} where tenant_id = '${acme}'`);

    test('left behind by a tail that was cut', async () => {
      const report = await trail.after((session) =>
        session.query('delete from audit_records where tenant_id = $1 and sequence_number >= 295', [acme]),
      );
      expect(report.findings).toEqual([
        { code: 'HEAD_MISMATCH', sequence_number: 295, expected: '300 records', found: '295' },
      ]);
    });

    test('rewritten with the tail cut: a checkpoint that was kept tells', async () => {
      const report = await trail.after(attack('cut the tail'), { checkpoints: [trail.notes[acme]!] });
      // The ten that were not signed are gone; what was signed is there.
      expect(report).toMatchObject({ verdict: 'verified', records: 290, unsigned_tail: 0 });
      const twice = async (session: Session) => {
        await attack('cut the tail')(session);
        await attack('cut the tail')(session);
      };
      const caught = await trail.after(twice, { checkpoints: [trail.notes[acme]!] });
      expect(caught.findings).toEqual([
        { code: 'HEAD_MISMATCH', sequence_number: 280, expected: '290 records', found: '280' },
      ]);
      // Nothing was kept, and nothing in the store is signed: that is not "verified" either.
      expect(await trail.after(twice)).toMatchObject({ verdict: 'not_verifiable' });
    });

    test.each([
      ['another hash', "last_hash = decode(repeat('ab', 32), 'hex')", 299],
      ['another frontier', 'frontier = set_byte(frontier, 3, get_byte(frontier, 3) # 1)', 299],
      ['half a frontier', 'frontier = substr(frontier, 1, 32)', 299],
      ['a frontier that is none', "frontier = 'x'", 299],
      ['set back', 'last_sequence = 298', 299],
      ['set forward', 'last_sequence = 300', 300],
    ])('%s', async (_, assignment, place) => {
      expect(places(await trail.after(state(assignment)))).toEqual([`HEAD_MISMATCH@${place}`]);
    });

    test('missing', async () => {
      const report = await trail.after((session) =>
        session.query('delete from audit_chain_state where tenant_id = $1', [acme]),
      );
      expect(places(report)).toEqual(['HEAD_MISMATCH@300']);
    });

    test('and everything else deleted: only a checkpoint that was kept tells', async () => {
      const wipe = async (session: Session) => {
        for (const table of ['records', 'chain_state', 'tiles', 'checkpoints'])
          await session.query(`delete from audit_${table} where tenant_id = $1`, [acme]);
      };
      expect(await trail.after(wipe)).toMatchObject({ verdict: 'not_verifiable', records: 0 });
      const report = await trail.after(wipe, { checkpoints: [trail.notes[acme]!] });
      expect(report).toMatchObject({ verdict: 'broken', records: 0, head: null });
      expect(places(report)).toEqual(['HEAD_MISMATCH@0']);
    });
  });

  describe('checkpoints', () => {
    const note = (change: (note: string) => string) => async (session: Session) => {
      const changed = change(trail.notes[acme]!);
      await session.query('update audit_checkpoints set note = $2 where tenant_id = $1 and size = 290', [
        acme,
        changed,
      ]);
    };
    const signed = (size: number, root: Uint8Array, key = trail.stolenKey) =>
      signNote(formatCheckpoint({ origin, size, root }), [{ name: origin, key }]);

    test('the whole chain rewritten and signed with another key', async () => {
      const rewrite = attack('rewrite the whole chain');
      const report = await trail.after(rewrite, { checkpoints: [trail.notes[acme]!] });
      expect(places(report)).toEqual(['CHECKPOINT_ROOT_MISMATCH@289']);
      expect(await trail.after(rewrite)).toMatchObject({ verdict: 'not_verifiable' });
    });

    test('the whole chain rewritten and signed with the stolen key', async () => {
      const report = await trail.after(
        async (session) => {
          const { size, root } = await rewriteRecords(session, { tenantId: acme }, ({ event }) => ({
            event: { ...event, metadata: { forged: true } },
          }));
          await session.query('delete from audit_checkpoints where tenant_id = $1', [acme]);
          await session.query(
            "insert into audit_checkpoints (tenant_id, epoch, size, root, note) values ($1, 1, $2, decode($3, 'hex'), $4)",
            [acme, size, toHex(root), await signed(size, root)],
          );
        },
        { checkpoints: [trail.notes[acme]!] },
      );
      // The genesis record, without what it binds, is one too.
      expect(places(report)).toEqual(['CHECKPOINT_ROOT_MISMATCH@289', 'GENESIS_INVALID@0']);
    });

    test.each([
      ['another root', (text: string) => text.replace(/^(.*\n\d+\n)./, '$1/')],
      ['another size', (text: string) => text.replace('\n290\n', '\n289\n')],
    ])('%s under the old signature', async (_, change) => {
      const report = await trail.after(note(change));
      expect(report.findings[0]!.code).toBe('CHECKPOINT_SIGNATURE_INVALID');
      expect(report.verdict).toBe('broken');
    });

    test.each([
      ['rubbish', () => 'rubbish'],
      ['nothing', () => ''],
      ['that of another log', () => trail.notes[globex]!],
    ])('%s in place of a note', async (_, change) => {
      expect(places(await trail.after(note(change)))).toEqual(['CHECKPOINT_SIGNATURE_INVALID@289']);
    });

    test('two of one size that contradict each other', async () => {
      const other = await signed(290, sha256('another tree'));
      const report = await trail.after(
        note(() => other),
        { checkpoints: [trail.notes[acme]!] },
      );
      expect(places(report)).toEqual(['CHECKPOINT_INCONSISTENT@289', 'CHECKPOINT_ROOT_MISMATCH@289']);
    });

    test('kept ones must be of this log, and signed with a trusted key', async () => {
      const stranger = await signed(290, sha256('x'), await importSigningKey(randomBytes(32)));
      await expect(trail.after(nothing, { checkpoints: [stranger] })).rejects.toMatchObject({
        code: 'NOTE_UNVERIFIED',
      });
      await expect(trail.after(nothing, { checkpoints: [trail.notes[globex]!] })).rejects.toMatchObject({
        code: 'CHECKPOINT_MALFORMED',
      });
    });
  });

  test('time that runs backwards', async () => {
    const report = await trail.after(async (session) => {
      let earlier = '';
      await rewriteRecords(session, { tenantId: acme }, ({ ingested_at, sequence_number }) => {
        if (sequence_number !== victim) return {};
        earlier = new Date(Date.parse(ingested_at) - 1_000).toISOString();
        return { ingested_at: earlier };
      });
      await set(session, `ingested_at = '${earlier}'`);
    });
    expect(places(report)).toEqual(['CHECKPOINT_ROOT_MISMATCH@289', `TIME_REGRESSION@${victim}`]);
  });

  describe('pages', () => {
    // A page holds a thousand rows; a position held twice must not be torn apart by its end.
    test.each([998, 999, 1_000, 1_001])('a doubled position %i is one duplicate', async (position) => {
      const report = await trail.after((session) => double(session, large, position), { tenantId: large });
      expect(report.records).toBe(2_101);
      expect(places(report).filter((place) => place.startsWith('SEQUENCE_'))).toEqual([
        `SEQUENCE_DUPLICATE@${position}`,
      ]);
    });

    test.each([999, 1_000, 1_001])('a gap at %i is one gap', async (position) => {
      const report = await trail.after(
        (session) =>
          session.query('delete from audit_records where tenant_id = $1 and sequence_number = $2', [
            large,
            position,
          ]),
        { tenantId: large },
      );
      expect(places(report).filter((place) => place.startsWith('SEQUENCE_'))).toEqual([
        `SEQUENCE_GAP@${position + 1}`,
      ]);
    });

    test('a thousand findings are kept', async () => {
      const report = await trail.after(
        (session) => session.query('update audit_records set severity = null where tenant_id = $1', [large]),
        { tenantId: large },
      );
      expect(report).toMatchObject({ verdict: 'broken', records: 2_100 });
      expect(report.findings).toHaveLength(1_000);
    });
  });
});

/** The record in the middle of the chain that the attacker is after. */
const victim = 137;

const nothing = async () => {};

const otherValues: { readonly [column: string]: string } = {
  audit_id: "'00000000-0000-7000-8000-000000000000'",
  // Less than a millisecond: below what a record can say.
  timestamp: `"timestamp" + interval '1 microsecond'`,
  ingested_at: "ingested_at + interval '1 microsecond'",
  is_sensitive: 'not is_sensitive',
  previous_hash: "decode(repeat('ab', 32), 'hex')",
};

/** Each kind of finding with its place, once, sorted but for the telling one. */
function places(report: Report): string[] {
  const found = report.findings.map(({ code, sequence_number: place }) =>
    place === null ? code : `${code}@${place}`,
  );
  const rank = (place: string) => (/^(RECORD|CHAIN|SEQ)/.test(place) ? 0 : 1);
  return [...new Set(found)].sort((a, b) => rank(a) - rank(b) || (rank(a) === 0 ? 0 : a < b ? -1 : 1));
}

/** What a changed record does to the tree, and so to all that was made of it. */
const treeOf = (sequence: number) => [
  ...(sequence < 100 ? ['CHECKPOINT_ROOT_MISMATCH@99'] : []),
  'CHECKPOINT_ROOT_MISMATCH@289',
  'HEAD_MISMATCH@299',
  'TILE_MISMATCH@0',
];

async function set(session: Session, assignments: string): Promise<void> {
  await session.query(
    `update audit_records set ${assignments} where tenant_id = $1 and sequence_number = $2`,
    [acme, victim],
  );
}

/** Replaces the victim's bytes, and its stored hash with theirs. */
async function replaceRecord(
  session: Session,
  change: (text: string) => string,
  assignments = 'epoch = epoch',
): Promise<void> {
  const [row] = await session.query<{ record: string }>(
    'select record from audit_records where tenant_id = $1 and sequence_number = $2',
    [acme, victim],
  );
  const text = change(row!.record);
  if (text === row!.record) throw new Error('nothing was changed');
  await session.query(
    `update audit_records set record = $3, record_hash = decode($4, 'hex'), ${assignments}
      where tenant_id = $1 and sequence_number = $2`,
    [acme, victim, text, toHex(sha256(text))],
  );
}

/** Puts a copy of a row into the partition of the month before. */
async function double(session: Session, tenantId: string, sequence: number): Promise<void> {
  await session.query(
    `insert into audit_records
     select (jsonb_populate_record(r, jsonb_build_object('ingested_at', date_trunc('month', ingested_at) - interval '1 day'))).*
       from audit_records r where tenant_id = $1 and sequence_number = $2`,
    [tenantId, sequence],
  );
}

/** The victim's bytes after a crime. */
async function forged(trail: WrittenTrail, crime: (session: Session) => Promise<unknown>): Promise<string> {
  let text = '';
  await trail.after(async (session) => {
    await crime(session);
    const [row] = await session.query<{ record: string }>(
      'select record from audit_records where tenant_id = $1 and sequence_number = $2',
      [acme, victim],
    );
    text = row!.record;
  });
  return text;
}
