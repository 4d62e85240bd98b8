import { prepareEmbeddedStore, tempDir, until } from '@tallystick/testing';
import { checkSubjects, type Finding, type Query } from '@tallystick/verify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BlockedSubjects } from '../../src/access/blocked-subjects.ts';
import { KeyWatch } from '../../src/access/key-watch.ts';
import { assertStillValid } from '../../src/access/still-valid.ts';
import { AuditService } from '../../src/app.ts';
import { SubjectBook } from '../../src/chain/books/subject-book.ts';
import { chainStopped } from '../../src/errors.ts';
import { writer } from '../../src/store/database.ts';
import type { PgliteDatabase } from '../../src/store/pglite/pglite.ts';
import { recordsOf } from '../chains.ts';
import { logName } from '../events.ts';
import { openPostgres } from '../stores.ts';

/** A token of a login could not be revoked before its `exp`: an approver who had left could go on to decide. */
interface Opened {
  readonly service: AuditService;
  asOwner(sql: string): Promise<unknown>;
  close(): Promise<void>;
}
const settings = { logName, checkpointIntervalMs: 0, followers: false } as const;

async function embedded(): Promise<Opened> {
  const dir = tempDir();
  await prepareEmbeddedStore(dir.path);
  const service = await AuditService.open({ ...settings, store: { directory: dir.path } });
  const database = service.database as PgliteDatabase;
  return {
    service,
    asOwner: (sql) => database.asOwner((session) => session.query(sql)),
    close: async () => {
      await service.close();
      dir.remove();
    },
  };
}

async function server(): Promise<Opened> {
  const dir = tempDir();
  const store = await openPostgres();
  const service = await AuditService.open({
    ...settings,
    store: { databaseUrl: store.serviceUrl },
    signerDirectory: dir.path,
  });
  return {
    service,
    asOwner: (sql) => store.asOwner(sql),
    close: async () => {
      await service.close();
      await store.close();
      dir.remove();
    },
  };
}

describe.each([
  { kind: 'PGlite', open: embedded },
  { kind: 'PostgreSQL', open: server },
])('blocked subjects on $kind', ({ open }) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await open();
  }, 120_000);
  afterAll(() => opened?.close());

  const service = () => opened.service;
  const query: Query = (sql, parameters) => service().database.query(writer, sql, parameters);
  const findings = async () => {
    const found: Finding[] = [];
    await checkSubjects(query, 'tallystick', { add: (finding) => void found.push(finding) });
    return found;
  };
  const blocked = { code: 'UNAUTHENTICATED', message: expect.stringContaining('blocked') };
  /** Another replica, with a clock of its own. */
  const replica = (now: () => number) =>
    new BlockedSubjects(service().database, new SubjectBook(service()), now);

  test('each block and its end is a record, and the list says who blocked whom and why', async () => {
    const { subjects } = service();
    await subjects.block('https://id.example.com#eve', 'left the company', 'key:admin');
    await subjects.block('https://id.example.com#eve', 'again', 'key:other');
    expect(await subjects.list()).toEqual([
      {
        subject: 'https://id.example.com#eve',
        blocked_at: expect.any(String),
        blocked_by: 'key:admin',
        reason: 'left the company',
      },
    ]);
    await subjects.unblock('https://id.example.com#eve', 'key:admin');
    expect(await subjects.list()).toEqual([]);
    await expect(subjects.unblock('https://id.example.com#eve', 'key:admin')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const records = (await recordsOf(service().database, 'tallystick')).map(({ record }) =>
      JSON.parse(record),
    );
    expect(records.slice(1)).toMatchObject([
      {
        event: {
          event_type: 'audit.subject_blocked',
          actor_id: 'key:admin',
          metadata: { subject: 'https://id.example.com#eve', reason: 'left the company' },
        },
        ingest: { trust: 'service' },
      },
      { event: { event_type: 'audit.subject_unblocked' } },
    ]);
    expect(await findings()).toEqual([]);
  });

  test('names that a reader could mistake are refused', async () => {
    for (const subject of ['', ' eve', 'key:0123', 'login:eve', 'ev\u200be'])
      await expect(service().subjects.block(subject, undefined, 'key:admin')).rejects.toMatchObject({
        code: 'PARAMETER_INVALID',
      });
  });

  test('a block takes effect at once here, within half a second elsewhere, and in a transaction that runs', async () => {
    const { subjects, database } = service();
    let now = Date.now();
    const other = replica(() => now);
    await subjects.assertAllowed('tom');
    await other.assertAllowed('tom');
    await subjects.block('tom', undefined, 'key:admin');
    await expect(subjects.assertAllowed('tom')).rejects.toMatchObject(blocked);
    const principal = { id: 'login:tom', scopes: [], tenants: undefined, subject: 'tom' };
    await expect(
      database.transaction(writer, (session) => assertStillValid(session, principal)),
    ).rejects.toMatchObject(blocked);
    now += 500;
    await expect(other.assertAllowed('tom')).rejects.toMatchObject(blocked);
    await subjects.assertAllowed('Tom');
    await subjects.unblock('tom', 'key:admin');
    await subjects.assertAllowed('tom');
  });

  test('what goes on for long ends: of a login, and of a key that is bound to the subject', async () => {
    const { subjects, database, keys } = service();
    const { id } = await keys.create({ name: 'eve', scopes: ['events:read'], subject: 'eve' });
    const watch = new KeyWatch(database, Date.now, 1);
    const ended = (principal: string, subject: string) =>
      new Promise<void>((resolve) =>
        watch.watch(
          { id: principal, scopes: [], tenants: undefined, subject, expiresAt: Date.now() + 3_600_000 },
          resolve,
        ),
      );
    const ends = [ended('login:eve', 'eve'), ended(`key:${id}`, 'eve')];
    let isOthers = false;
    const endOthers = watch.watch(
      {
        id: 'login:maria',
        scopes: [],
        tenants: undefined,
        subject: 'maria',
        expiresAt: Date.now() + 3_600_000,
      },
      () => {
        isOthers = true;
      },
    );
    await subjects.block('eve', undefined, 'key:admin');
    await Promise.all(ends);
    expect(isOthers).toBe(false);
    endOthers();
    await subjects.unblock('eve', 'key:admin');
  });

  test("the service's login can end no block, and block nobody with a record of another time", async () => {
    const { subjects, database } = service();
    await subjects.block('mallory', undefined, 'key:admin');
    await subjects.unblock('mallory', 'key:admin');
    const [old] = await database.query<{ audit_id: string }>(
      writer,
      `select audit_id::text as audit_id from audit_records
        where tenant_id = 'tallystick' and event_type = 'audit.subject_unblocked' order by sequence_number desc limit 1`,
    );
    const then = Date.now();
    await until(() => Date.now() > then);
    await subjects.block('mallory', undefined, 'key:admin');
    await expect(database.query(writer, 'delete from audit_blocked_subjects')).rejects.toThrow(
      /permission denied/,
    );
    await expect(
      database.query(writer, `insert into audit_blocked_subjects values ('x', now(), 'me', null)`),
    ).rejects.toThrow(/permission denied/);
    await database.query(writer, 'select tally_unblock_subject($1, $2::uuid)', ['tallystick', old!.audit_id]);
    await expect(subjects.assertAllowed('mallory')).rejects.toMatchObject(blocked);
    expect(await findings()).toEqual([]);
  });

  test('a block that the owner of the database edited, removed or inserted is a finding', async () => {
    const { subjects } = service();
    await subjects.block('zoe', 'left', 'key:admin');
    const found = (what: string) => [expect.objectContaining({ code: 'SUBJECT_MISMATCH', found: what })];
    await opened.asOwner(`update audit_blocked_subjects set reason = null where subject = 'zoe'`);
    expect(await findings()).toEqual(found('zoe: another time, principal or reason'));
    await opened.asOwner(`delete from audit_blocked_subjects where subject = 'zoe'`);
    expect(await findings()).toEqual(found('zoe: not blocked, and no record ends the block'));
    await opened.asOwner(`insert into audit_blocked_subjects values ('ann', now(), 'me', null)`);
    expect(await findings()).toContainEqual(
      expect.objectContaining({ code: 'SUBJECT_MISMATCH', found: 'ann: blocked without a record' }),
    );
  });

  test('a chain that takes no record does not keep a subject in; the verification reports the block, and it can be ended', async () => {
    const { database, serviceTenant, appendRanges } = service();
    const stopped = new SubjectBook({
      database,
      serviceTenant,
      appendRanges: async () => {
        throw chainStopped(serviceTenant, 'a test');
      },
    });
    // A clock that runs ahead must not make a block that no later record can end.
    const tomorrow = Date.now() + 24 * 3_600_000;
    await stopped.block('trudy', 'left', { by: 'key:ops', now: tomorrow });
    const list = await service().subjects.list();
    expect(list.find(({ subject }) => subject === 'trudy')).toMatchObject({ reason: 'left' });
    const finding = { code: 'SUBJECT_MISMATCH', found: 'trudy: blocked without a record' };
    expect(await findings()).toContainEqual(expect.objectContaining(finding));
    await expect(stopped.unblock('trudy', { by: 'key:ops', now: Date.now() })).rejects.toMatchObject({
      code: 'CHAIN_STOPPED',
    });
    const book = new SubjectBook({ database, serviceTenant, appendRanges });
    await until(async () => {
      await book.unblock('trudy', { by: 'key:ops', now: Date.now() });
      return true;
    });
    expect(await findings()).not.toContainEqual(expect.objectContaining(finding));
  });
});
