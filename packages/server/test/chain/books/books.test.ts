import { randomBytes } from 'node:crypto';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { checkBooks, type Finding, type Query } from '@tallystick/verify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditService } from '../../../src/app.ts';
import { openBooks } from '../../../src/chain/books/open-books.ts';
import { toDeadLetter } from '../../../src/chain/dead-letters.ts';
import { DeadLetters } from '../../../src/operations/dead-letters.ts';
import { purgeDeadLetters } from '../../../src/operations/purge-dead-letters.ts';
import { retryDeadLetter } from '../../../src/operations/retry-dead-letter.ts';
import { verifyRange } from '../../../src/proofs/verification/verify-range.ts';
import { writer } from '../../../src/store/database.ts';
import type { PgliteDatabase } from '../../../src/store/pglite/pglite.ts';
import { Trail } from '../../../src/trail/trail.ts';
import { recordsOf } from '../../chains.ts';
import { anEvent, anItem, logName, newTenant } from '../../events.ts';
import { openPostgres } from '../../stores.ts';

interface Books {
  readonly service: AuditService;
  /** As a superuser of the database. */
  asOwner(sql: string, parameters?: unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

async function embeddedBooks(): Promise<Books> {
  const dir = tempDir();
  await prepareEmbeddedStore(dir.path);
  const service = await AuditService.open({
    store: { directory: dir.path },
    logName,
    checkpointIntervalMs: 0,
  });
  const database = service.database as PgliteDatabase;
  return {
    service,
    asOwner: (sql, parameters) => database.asOwner((session) => session.query(sql, parameters)),
    close: async () => {
      await service.close();
      dir.remove();
    },
  };
}

async function serverBooks(): Promise<Books> {
  const dir = tempDir();
  const store = await openPostgres();
  const service = await AuditService.open({
    store: { databaseUrl: store.serviceUrl },
    signerDirectory: dir.path,
    logName,
    checkpointIntervalMs: 0,
  });
  return {
    service,
    asOwner: (sql, parameters) => store.asOwner(sql, parameters),
    close: async () => {
      await service.close();
      await store.close();
      dir.remove();
    },
  };
}

describe.each([
  { kind: 'PGlite', open: embeddedBooks },
  { kind: 'PostgreSQL', open: serverBooks },
])('the books on $kind', ({ open }) => {
  let books: Books;
  let tenant: string;
  beforeAll(async () => {
    books = await open();
    tenant = newTenant();
    await books.service.writer.submit([anItem(tenant)]);
  }, 120_000);
  afterAll(() => books?.close());

  const query: Query = (sql, parameters) => books.service.database.query(writer, sql, parameters);

  async function findings(of = tenant): Promise<Finding[]> {
    const found: Finding[] = [];
    await checkBooks(query, { tenantId: of }, { add: (finding) => void found.push(finding) });
    return found;
  }

  /** Ids of dead letters of one submission. */
  async function refuse(...raw: string[]): Promise<string[]> {
    const items = raw.map((each) => ({
      deadLetter: {
        ...toDeadLetter(each, { source: 'http' }, [
          { code: 'FIELD_TYPE', pointer: '/a', message: 'is wrong' },
        ]),
        tenantId: tenant,
      },
    }));
    await books.service.writer.submit(items);
    return items.map(({ deadLetter }) => deadLetter.id);
  }

  const letter = (id: string, found: string) => [
    expect.objectContaining({ code: 'DEAD_LETTER_MISMATCH', found: `${id}: ${found}` }),
  ];
  const key = (id: string, found: string) => [
    expect.objectContaining({ code: 'API_KEY_MISMATCH', found: `${id}: ${found}` }),
  ];

  /** Tampers, checks, and puts back what was there, so that the tests do not depend on each other. */
  async function after(sql: string, undo: string, of = tenant): Promise<Finding[]> {
    await books.asOwner(sql);
    const found = await findings(of);
    await books.asOwner(undo);
    expect(await findings(of)).toEqual([]);
    return found;
  }

  test('agree with the chain after refusals, a retry, a purge and a second delivery of a purged event', async () => {
    const { service } = books;
    const [kept, purged, again] = await refuse('kept', 'purged', 'again');
    const retried = (
      await service.submit({
        events: [
          JSON.stringify({ ...anEvent(tenant), timestamp: new Date(Date.now() + 7_200_000).toISOString() }),
        ],
        source: 'http',
        trust: 'operator',
      })
    )[0]!;
    const retriedId = ('error' in retried && retried.error.dead_letter_id) || '';
    await books.asOwner('select 1');
    await purgeDeadLetters(service, {
      ids: [purged!, again!],
      tenants: undefined,
      by: 'op',
      now: Date.now(),
    });
    await refuse('again');
    expect(await findings()).toEqual([]);
    const later = Object.create(service, {
      submit: {
        value: (...args: Parameters<typeof service.submit>) => {
          const [{ events, ...rest }, ...more] = args;
          const event = JSON.parse(Buffer.from(events[0] as Uint8Array).toString());
          return service.submit(
            { ...rest, events: [JSON.stringify({ ...event, timestamp: new Date().toISOString() })] },
            ...more,
          );
        },
      },
    });
    const retry = { id: retriedId, tenants: undefined, by: 'op', now: Date.now() };
    expect(await retryDeadLetter(later, new DeadLetters(service.database), retry)).toMatchObject({
      status: 'chained',
    });
    expect(await findings()).toEqual([]);
    const states = await service.database.query<{ id: string; state: string; settled_by: string | null }>(
      writer,
      'select id::text, state, settled_by from audit_dead_letters where chain = $1',
      [tenant],
    );
    expect(new Map(states.map((row) => [row.id, [row.state, row.settled_by]]))).toEqual(
      new Map([
        [kept, ['open', null]],
        [purged, ['purged', 'op']],
        [again, ['open', null]],
        [retriedId, ['retried', 'op']],
      ]),
    );
    const types = (await recordsOf(service.database, tenant)).map(
      ({ record }) => JSON.parse(record).event.event_type,
    );
    expect(types.filter((type) => type !== 'access.granted')).toEqual([
      'system.genesis',
      'delivery.dead_lettered',
      'delivery.dead_lettered',
      'audit.dead_letters_purged',
      'delivery.dead_lettered',
      'audit.dead_letter_retried',
    ]);
  });

  test('a repeated refusal counts up and adds no record', async () => {
    await refuse('often');
    const { length } = await recordsOf(books.service.database, tenant);
    await refuse('often');
    expect(await recordsOf(books.service.database, tenant)).toHaveLength(length);
  });

  test('name a dead letter whose bytes, columns or state a superuser edited', async () => {
    const [id] = await refuse('edited');
    const set = (change: string) => `update audit_dead_letters set ${change} where id = '${id}'`;
    const raw = `raw = '\\x${Buffer.from('edited').toString('hex')}'`;
    expect(await after(set(`raw = 'x'`), set(raw))).toEqual(letter(id!, 'other bytes'));
    expect(await after(set(`message = 'was fine'`), set(`message = 'is wrong'`))).toEqual(
      letter(id!, 'other columns than the bytes'),
    );
    expect(await after(set(`state = 'purged'`), set(`state = 'open'`))).toEqual(
      letter(id!, 'the state purged instead of open'),
    );
    expect(await after(set('chain = null'), set(`chain = '${tenant}'`))).toEqual(letter(id!, 'no row'));
  });

  test('name a dead letter that a superuser deleted', async () => {
    const [id] = await refuse('deleted');
    await books.asOwner(`create table kept as select * from audit_dead_letters where id = '${id}'`);
    expect(
      await after(
        `delete from audit_dead_letters where id = '${id}'`,
        'insert into audit_dead_letters select * from kept',
      ),
    ).toEqual(letter(id!, 'no row'));
    await books.asOwner('drop table kept');
  });

  test('name a dead letter that a superuser inserted, whatever chain it names', async () => {
    const id = '00000000-0000-8000-8000-000000000001';
    const insert = (chain: string) =>
      `insert into audit_dead_letters (id, source, reason, pointer, message, raw, chain)
       values ('${id}', 'http', 'FIELD_TYPE', '', 'is wrong', 'x', ${chain})`;
    const remove = `delete from audit_dead_letters where id = '${id}'`;
    expect(await after(insert(`'${tenant}'`), remove)).toEqual(letter(id, 'a row without a record'));
    const unclaimed = letter(id, 'a row that no chain records');
    expect(await after(insert('null'), remove, 'tallystick')).toEqual(unclaimed);
    expect(await after(insert(`'no-such-tenant'`), remove, 'tallystick')).toEqual(unclaimed);
  });

  test('name an API key that a superuser edited, revived, deleted or inserted', async () => {
    const { keys } = books.service;
    const { id } = await keys.create({ name: 'ci', scopes: ['events:write'], tenants: [tenant] });
    const gone = await keys.create({ name: 'gone', scopes: ['admin'] });
    await keys.revoke(gone.id);
    expect(await findings('tallystick')).toEqual([]);
    const set = (of: string, change: string) => `update audit_api_keys set ${change} where id = '${of}'`;
    const edited = key(id, 'another name, secret, scope, tenant or time');
    const own = 'tallystick';
    expect(await after(set(id, `scopes = '{admin}'`), set(id, `scopes = '{events:write}'`), own)).toEqual(
      edited,
    );
    expect(await after(set(id, 'tenants = null'), set(id, `tenants = '{${tenant}}'`), own)).toEqual(edited);
    expect(await after(set(id, 'revoked_at = now()'), set(id, 'revoked_at = null'), own)).toEqual(
      key(id, 'revoked without a record'),
    );
    await books.asOwner(`create table kept as select * from audit_api_keys where id = '${gone.id}'`);
    const restore = 'insert into audit_api_keys select * from kept';
    expect(
      await after(
        set(gone.id, 'revoked_at = null'),
        `update audit_api_keys k set revoked_at = kept.revoked_at from kept where k.id = kept.id`,
        own,
      ),
    ).toEqual(key(gone.id, 'not revoked at the recorded time'));
    expect(await after(`delete from audit_api_keys where id = '${gone.id}'`, restore, own)).toEqual(
      key(gone.id, 'no row'),
    );
    await books.asOwner('drop table kept');
    const insert = (chain: string) =>
      `insert into audit_api_keys (id, name, secret_hash, scopes, chain)
       values ('aaaaaaaaaaaa', 'mine', '\\x${randomBytes(32).toString('hex')}', '{admin}', ${chain})`;
    const remove = `delete from audit_api_keys where id = 'aaaaaaaaaaaa'`;
    expect(await after(insert(`'tallystick'`), remove, own)).toEqual(
      key('aaaaaaaaaaaa', 'a row without a record'),
    );
    expect(await after(insert('null'), remove, own)).toEqual(
      key('aaaaaaaaaaaa', 'a row that no chain records'),
    );
  });

  test('are compared when the service checks the whole of a chain', async () => {
    const { service } = books;
    const [id] = await refuse('checked');
    const trail = new Trail(service.database);
    const set = (message: string) =>
      books.asOwner(`update audit_dead_letters set message = '${message}' where id = '${id}'`);
    await set('was fine');
    expect(await verifyRange(service, trail, { tenantId: tenant })).toMatchObject({
      verdict: 'broken',
      findings: [{ code: 'DEAD_LETTER_MISMATCH', found: `${id}: other columns than the bytes` }],
    });
    await set('is wrong');
    expect(await verifyRange(service, trail, { tenantId: tenant })).toMatchObject({ findings: [] });
  });

  test('of an earlier version are put on record once, and a row that appears later is not', async () => {
    const { service } = books;
    const { id } = await service.keys.create({ name: 'old', scopes: ['admin'] });
    const [open, purged] = await refuse('old', 'old and purged');
    await purgeDeadLetters(service, { ids: [purged!], tenants: undefined, by: 'op', now: Date.now() });
    // As the rows of a store that had no books yet.
    const records = `tenant_id = 'tallystick' and event_type = 'audit.books_opened'`;
    await books.asOwner(`update audit_dead_letters set chain = null where id in ('${open}', '${purged}')`);
    await books.asOwner(`update audit_api_keys set chain = null where id = '${id}'`);
    const opened = async () =>
      (await service.database.query(writer, `select 1 from audit_records where ${records}`)).length;
    expect(await opened()).toBe(0);
    await openBooks(service, Date.now());
    expect(await opened()).toBe(3);
    expect(await findings('tallystick')).toEqual([]);
    await openBooks(service, Date.now());
    expect(await opened()).toBe(3);

    const late = '00000000-0000-8000-8000-000000000002';
    await books.asOwner(
      `insert into audit_dead_letters (id, source, reason, pointer, message, raw)
       values ('${late}', 'http', 'FIELD_TYPE', '', 'is wrong', 'x')`,
    );
    await openBooks(service, Date.now());
    expect(await findings('tallystick')).toEqual(letter(late, 'a row that no chain records'));
    await books.asOwner(`delete from audit_dead_letters where id = '${late}'`);
  });
});
