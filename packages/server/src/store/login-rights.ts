import { type Database, writer } from './database.ts';
import { readSql } from './sql.ts';

/** A right of the service's login with which it could undo the protection of the trail. */
export interface DangerousRight {
  /** Completes the sentence "it …". */
  readonly what: string;
  /** The SQL that takes the right away. `OWNER` in it stands for the role that owns the trail. */
  readonly remedy: string;
}

const loginRights = readSql('login-rights');

/**
 * Roles of PostgreSQL whose members change rows without a grant, lock and rewrite every table (from PostgreSQL 17 on), reach files
 * of the server, or apply rows without triggers.
 */
const powerfulRoles = [
  'pg_write_all_data',
  'pg_maintain',
  'pg_execute_server_program',
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_create_subscription',
];

/** Settings that switch triggers off or load code into the server's processes. */
const powerfulSettings = [
  'session_replication_role',
  'allow_system_table_mods',
  'dynamic_library_path',
  'session_preload_libraries',
  'shared_preload_libraries',
];

/** One row of login-rights.sql. Names of roles are quoted as SQL needs them. */
interface LoginRow {
  readonly login: string;
  readonly quoted_login: string;
  readonly replication_role: string;
  readonly memberships: readonly { readonly member: string; readonly of: string }[];
  readonly powerful: readonly ({ readonly role: string } & Attributes)[];
  readonly owned: readonly { readonly role: string; readonly things: readonly string[] }[];
  readonly settings: readonly {
    readonly setting: string;
    readonly privilege: string;
    readonly grantee: string;
  }[];
  readonly creators: readonly string[];
  readonly schema_makers: readonly string[];
  readonly quoted_database: string;
  readonly table_rights: readonly {
    readonly relation: string;
    readonly privilege: TablePrivilege;
    readonly grantee: string;
  }[];
}

/** Rights on a table of the trail that the service's own roles never have. */
const tablePrivileges = {
  TRIGGER: 'create triggers on',
  TRUNCATE: 'empty (TRUNCATE)',
  MAINTAIN: 'lock and rewrite (MAINTAIN)',
};

type TablePrivilege = keyof typeof tablePrivileges;

interface Attributes {
  readonly superuser: boolean;
  readonly createrole: boolean;
  readonly bypassrls: boolean;
}

/**
 * The rights of the login that could undo the protection: with one of them, the service or an attacker who has its password
 * could change records without the triggers, read every tenant without row-level security, or give itself such a right.
 */
export async function dangerousRights(
  database: Database,
): Promise<{ readonly login: string; readonly rights: readonly DangerousRight[] }> {
  const [row] = await database.query<LoginRow>(writer, loginRights, [powerfulRoles, powerfulSettings]);
  const {
    login,
    quoted_login,
    replication_role,
    memberships,
    powerful,
    owned,
    settings,
    creators,
    schema_makers,
    quoted_database,
    table_rights,
  } = row!;
  const pathTo = shortestPaths(quoted_login, memberships);
  const rights = [
    ...powerful.flatMap(({ role, ...attributes }) => attributeRights(pathTo(role), attributes)),
    ...owned.map(({ role, things }) => ownershipRight(pathTo(role), things)),
    ...settings.map(({ setting, privilege, grantee }) => ({
      what: `may change the setting ${setting} (${privilege})`,
      remedy: `revoke ${privilege.toLowerCase()} on parameter ${setting} from ${grantee}`,
    })),
    ...creators.map((grantee) => ({
      what: 'may create objects in the schema public, which statements of the owner could call by mistake',
      remedy: `revoke create on schema public from ${grantee}`,
    })),
    ...schema_makers.map((grantee) => ({
      what: `may create schemas in the database ${quoted_database}, with functions that the owner could call by mistake`,
      remedy: `revoke create on database ${quoted_database} from ${grantee}`,
    })),
    ...table_rights.map(({ relation, privilege, grantee }) => ({
      what: `may ${tablePrivileges[privilege]} ${relation}`,
      remedy: `revoke ${privilege.toLowerCase()} on ${relation} from ${grantee}`,
    })),
  ];
  if (replication_role !== 'origin') {
    rights.push({
      what: `begins its sessions with session_replication_role = ${replication_role}, which switches triggers off`,
      remedy: `alter role ${quoted_login} reset session_replication_role`,
    });
  }
  return { login, rights };
}

/** From the login to a role: the roles on the shortest way, both ends included. */
type Path = readonly string[];

function shortestPaths(login: string, memberships: LoginRow['memberships']): (role: string) => Path {
  const paths = new Map<string, Path>([[login, [login]]]);
  // A Map yields the entries that are added while it is read, so this visits near roles before far ones.
  for (const [role, path] of paths) {
    for (const { member, of } of memberships) {
      if (member === role && !paths.has(of)) paths.set(of, [...path, of]);
    }
  }
  return (role) => paths.get(role)!;
}

function attributeRights(path: Path, { superuser, createrole, bypassrls }: Attributes): DangerousRight[] {
  const found = [
    ...(superuser ? [{ what: 'is a superuser', cure: 'nosuperuser' }] : []),
    ...(createrole ? [{ what: 'may create roles (CREATEROLE)', cure: 'nocreaterole' }] : []),
    ...(bypassrls ? [{ what: 'bypasses row-level security (BYPASSRLS)', cure: 'nobypassrls' }] : []),
  ];
  if (path.length === 1) {
    return found.map(({ what, cure }) => ({ what, remedy: `alter role ${path[0]} ${cure}` }));
  }
  const which = found.length === 0 ? '' : `, which ${found.map(({ what }) => what).join(' and ')}`;
  return [throughMembership(path, which)];
}

function ownershipRight(path: Path, things: readonly string[]): DangerousRight {
  const more = things.length === 1 ? '' : ` and ${things.length - 1} more objects of the trail`;
  const owns = `owns the ${things[0]}${more}`;
  if (path.length > 1) return throughMembership(path, `, which ${owns}`);
  return { what: owns, remedy: things.map((thing) => `alter ${thing} owner to OWNER`).join('; ') };
}

/** The remedy removes the first step that is not one of the service's own roles, which the login needs. */
function throughMembership(path: Path, which: string): DangerousRight {
  const between = path.slice(1, -1);
  const through = between.length === 0 ? '' : ` (through ${between.join(', ')})`;
  const foreign = path.findIndex((role, at) => at > 0 && !/^tally_(writer|reader)/.test(role));
  const step = foreign === -1 ? path.length - 1 : foreign;
  return {
    what: `is a member of ${path.at(-1)}${through}${which}`,
    remedy: `revoke ${path[step]} from ${path[step - 1]}`,
  };
}
