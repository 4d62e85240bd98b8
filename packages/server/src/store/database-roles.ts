import { randomBytes } from 'node:crypto';
import type { Queries } from './database.ts';
import { readSql } from './sql.ts';

/** The roles with the rights of the service in one database. */
export interface DatabaseRoles {
  readonly writer: string;
  readonly reader: string;
  readonly retention: string;
}

/** The names that the migrations use. On a server, all databases of version 0.1 shared these roles. */
export const plainRoles: DatabaseRoles = Object.freeze({
  writer: 'tally_writer',
  reader: 'tally_reader',
  retention: 'tally_retention',
});

export const readRolesSql = 'select writer, reader, retention from public.tally_roles';

const rightsOfRole = readSql('rights-of-role');
const roleIsShared = readSql('role-is-shared');

/** Names for a database that has none yet. Random, because a name that is made of the database's name could exist already. */
export function newRoles(): DatabaseRoles {
  const suffix = randomBytes(6).toString('hex');
  return {
    writer: `${plainRoles.writer}_${suffix}`,
    reader: `${plainRoles.reader}_${suffix}`,
    retention: `${plainRoles.retention}_${suffix}`,
  };
}

/** A text of SQL with the names of the database's roles in place of the plain names. */
export function inRoles(sql: string, roles: DatabaseRoles): string {
  return sql.replaceAll(/\btally_(writer|reader|retention)\b/g, (_, job: keyof DatabaseRoles) => roles[job]);
}

/** The roles of a migrated database; `undefined` where no migration was applied yet. */
export async function rolesOf(session: Queries): Promise<DatabaseRoles | undefined> {
  const [found] = await session.query<{ named: boolean; migrated: boolean }>(
    `select to_regclass('public.tally_roles') is not null as named,
            to_regclass('public.audit_records') is not null as migrated`,
  );
  if (found!.named) return (await session.query<DatabaseRoles>(readRolesSql))[0];
  return found!.migrated ? plainRoles : undefined;
}

/** Whether other databases of the server use the same roles: those of version 0.1 do, and so does a copy of a database. */
export async function areShared(session: Queries, { writer }: DatabaseRoles): Promise<boolean> {
  if (writer === plainRoles.writer) return true;
  const [row] = await session.query<{ shared: boolean }>(roleIsShared, [writer]);
  return row!.shared;
}

/**
 * Gives the database roles of its own: it creates them, moves all rights in this database to them, and leaves the old roles
 * none. Runs as the owner, in the transaction of the migration: after a crash the database still has its old roles.
 *
 * @param from roles that other databases use too
 */
export async function moveToOwnRoles(
  session: Queries,
  from: DatabaseRoles,
  to: DatabaseRoles,
): Promise<void> {
  const jobs = ['writer', 'reader', 'retention'] as const;
  const renamed = (sql: string) =>
    jobs.reduce((text, job) => text.replaceAll(new RegExp(`\\b${from[job]}\\b`, 'g'), to[job]), sql);
  for (const job of jobs) await session.query(`create role ${to[job]} nologin`);
  for (const job of jobs) {
    // Each statement names the old role; the same statement with the new name gives the right to the new role.
    const rights = await session.query<{ give: string; take: string }>(rightsOfRole, [from[job]]);
    for (const { give } of rights) await session.query(renamed(give));
    for (const { take } of rights) await session.query(take);
  }
  const [row] = await session.query<{ named: boolean }>(
    `select to_regclass('public.tally_roles') is not null as named`,
  );
  if (row!.named) {
    await session.query('update tally_roles set writer = $1, reader = $2, retention = $3', [
      to.writer,
      to.reader,
      to.retention,
    ]);
  }
}
