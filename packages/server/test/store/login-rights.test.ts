import { postgresVersion, type SharedPostgres, sharedPostgres } from '@tallystick/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { checkStore } from '../../src/store/startup-checks.ts';
import { createLogin, openPostgres, type PostgresStore, runSql } from '../stores.ts';

// The service refused superusers and owners of the table. A login with CREATEROLE, with the right to set
// session_replication_role, or with the admin option on the owner was accepted, and each of them could delete records.

let shared: SharedPostgres;
let store: PostgresStore;
let login: string;
beforeAll(async () => {
  shared = await sharedPostgres();
});
beforeEach(async () => {
  store = await openPostgres();
  login = store.serviceLogin;
});
afterEach(() => store.close());

/** The message with which the service refuses its login; `undefined` where it accepts it. */
async function refusal(url = store.serviceUrl): Promise<string | undefined> {
  const database = new PostgresDatabase({ url });
  try {
    await checkStore(database);
    return undefined;
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORE_UNSUITABLE' });
    return (error as Error).message;
  } finally {
    await database.close();
  }
}

/** Runs the SQL that the message offers, and expects it to be enough. */
async function mend(message: string, owner = 'postgres'): Promise<void> {
  for (const [, remedy] of message.matchAll(/mend it with: ([^)]+)\)/g)) {
    await runSql(store.ownerUrl, remedy!.replaceAll('OWNER', owner));
  }
  expect(await refusal()).toBe(undefined);
}

test('a login with the rights of the service alone is accepted', async () => {
  expect(await refusal()).toBe(undefined);
});

describe('a right that could undo the protection is named with the SQL that takes it away', () => {
  test.each([
    ['a superuser', 'superuser', 'is a superuser', 'nosuperuser'],
    ['CREATEROLE', 'createrole', 'may create roles (CREATEROLE)', 'nocreaterole'],
    ['BYPASSRLS', 'bypassrls', 'bypasses row-level security (BYPASSRLS)', 'nobypassrls'],
  ])('%s', async (_, attribute, what, cure) => {
    await runSql(store.ownerUrl, `alter role ${login} ${attribute}`);
    const message = await refusal();
    expect(message).toContain(`it ${what} (mend it with: alter role ${login} ${cure})`);
    await mend(message!);
  });

  test.each([
    'pg_write_all_data',
    'pg_execute_server_program',
    'pg_write_server_files',
    'pg_read_server_files',
    // It came with PostgreSQL 17.
    ...(postgresVersion() >= 17 ? ['pg_maintain'] : []),
  ])('membership in %s', async (role) => {
    await runSql(store.ownerUrl, `grant ${role} to ${login}`);
    const message = await refusal();
    expect(message).toContain(`it is a member of ${role} (mend it with: revoke ${role} from ${login})`);
    await mend(message!);
  });

  test.each(['set', 'alter system'])('the right to %s session_replication_role', async (privilege) => {
    await runSql(store.ownerUrl, `grant ${privilege} on parameter session_replication_role to ${login}`);
    const message = await refusal();
    expect(message).toContain(
      `it may change the setting session_replication_role (${privilege.toUpperCase()}) ` +
        `(mend it with: revoke ${privilege} on parameter session_replication_role from ${login})`,
    );
    await mend(message!);
  });

  test('a session that begins with its triggers switched off', async () => {
    await runSql(store.ownerUrl, `alter role ${login} set session_replication_role = 'replica'`);
    const message = await refusal();
    expect(message).toContain('session_replication_role = replica');
    await mend(message!);
  });

  test.each([
    ['the database', 'alter database DATABASE owner to LOGIN', 'owns the database'],
    ['the schema', 'alter schema public owner to LOGIN', 'owns the schema public'],
    ['the trail', 'alter table audit_records owner to LOGIN', 'owns the table audit_records'],
    ['the keys', 'alter table audit_api_keys owner to LOGIN', 'owns the table audit_api_keys'],
    [
      'the triggers',
      'alter function tally_refuse_change owner to LOGIN',
      'owns the function tally_refuse_change',
    ],
  ])('the owner of %s', async (_, sql, what) => {
    const name = new URL(store.ownerUrl).pathname.slice(1);
    await runSql(store.ownerUrl, sql.replace('LOGIN', login).replace('DATABASE', name));
    const message = await refusal();
    expect(message).toContain(`it ${what}`);
    await mend(message!);
  });

  // Its trigger could return null for each new record, which the chain would then lack.
  test('the right to create triggers on a table of the trail', async () => {
    await runSql(store.ownerUrl, `grant trigger on audit_records to ${login}`);
    const message = await refusal();
    expect(message).toContain(
      `it may create triggers on audit_records (mend it with: revoke trigger on audit_records from ${login})`,
    );
    await mend(message!);
  });

  test.each([
    ['truncate', 'empty (TRUNCATE)'],
    ...(postgresVersion() >= 17 ? [['maintain', 'lock and rewrite (MAINTAIN)'] as const] : []),
  ] as const)('the right to %s a table of the trail, also through PUBLIC', async (privilege, what) => {
    await runSql(
      store.ownerUrl,
      `grant ${privilege} on audit_records to ${login}; grant ${privilege} on audit_tiles to public`,
    );
    const message = await refusal();
    for (const [table, grantee] of [
      ['audit_records', login],
      ['audit_tiles', 'public'],
    ]) {
      expect(message).toContain(
        `it may ${what} ${table} (mend it with: revoke ${privilege} on ${table} from ${grantee})`,
      );
    }
    await mend(message!);
  });

  test('the right to create schemas in the database, also through a group', async () => {
    const name = new URL(store.ownerUrl).pathname.slice(1);
    const { login: group } = await createLogin(shared, store.ownerUrl);
    await runSql(
      store.ownerUrl,
      `grant create on database "${name}" to ${group}; grant ${group} to ${login}`,
    );
    const message = await refusal();
    expect(message).toContain(`mend it with: revoke create on database ${name} from ${group}`);
    await mend(message!);
  });

  test('the right to create objects in the schema, also through PUBLIC', async () => {
    await runSql(store.ownerUrl, 'grant create on schema public to public');
    const message = await refusal();
    expect(message).toContain('mend it with: revoke create on schema public from public');
    await mend(message!);
  });
});

describe('membership that leads to such a right', () => {
  // PostgreSQL 16 brought options for each membership. Before, only the admin option was one of the membership.
  const memberships =
    postgresVersion() >= 16
      ? [
          ['that does not inherit', 'with inherit false, set true'],
          ['that may only be granted to others', 'with inherit false, set false, admin true'],
        ]
      : [['that may be granted to others', 'with admin option']];
  test.each([['with everything', ''], ...memberships])(
    '%s is refused, also through other roles',
    async (_, options) => {
      const { login: mighty } = await createLogin(shared, store.ownerUrl, 'createrole');
      const { login: between } = await createLogin(shared, store.ownerUrl);
      await runSql(
        store.ownerUrl,
        `grant ${mighty} to ${between} ${options}; grant ${between} to ${login} ${options}`,
      );
      const message = await refusal();
      expect(message).toContain(
        `it is a member of ${mighty} (through ${between}), which may create roles (CREATEROLE) ` +
          `(mend it with: revoke ${between} from ${login})`,
      );
      await runSql(store.ownerUrl, `revoke ${between} from ${login}`);
      expect(await refusal()).toBe(undefined);
    },
  );

  test('an owner that is reached through a group is refused', async () => {
    const { login: owner } = await createLogin(shared, store.ownerUrl);
    await runSql(store.ownerUrl, `alter table audit_tiles owner to ${owner}; grant ${owner} to ${login}`);
    const message = await refusal();
    expect(message).toContain(`it is a member of ${owner}, which owns the table audit_tiles`);
    await mend(message!);
  });

  test('a name that needs quotes is quoted in the remedy', async () => {
    const odd = `Big "Boss" ${login}`;
    await runSql(
      store.ownerUrl,
      `create role "${odd.replaceAll('"', '""')}" bypassrls; grant "${odd.replaceAll('"', '""')}" to ${login}`,
    );
    const message = await refusal();
    expect(message).toContain(`revoke "${odd.replaceAll('"', '""')}" from ${login}`);
  });
});

test('every right is named at once', async () => {
  await runSql(
    store.ownerUrl,
    `alter role ${login} createrole bypassrls; grant pg_write_all_data to ${login}`,
  );
  const message = await refusal();
  expect(message!.match(/mend it with/g)).toHaveLength(3);
});
