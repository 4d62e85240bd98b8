import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Scope } from '@tallystick/protocol';
import { ServerError } from '../../errors.ts';
import { type Database, type Queries, writer } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import type { Principal } from '../principal.ts';

const openSql = readSql('open-session');
const findSql = readSql('find-session');
const usableSql = readSql('usable-sessions');
const pruneSql = readSql('prune-sessions');

/** A session that is not used for this long ends, ms. A stream that stays open is no use of it. */
const idleMs = 60 * 60_000;
/** A session ends after this time, however much it is used, ms. */
const lifetimeMs = 12 * 60 * 60_000;
/** Characters of a session's id, with which its cookie begins. */
const idLength = 16;
/** The time of the last use is stored at most this often, ms. */
const touchEveryMs = 60_000;

/** Records what happens to sessions. `within` runs in the transaction of the record, or in one of its own if the chain takes no record. */
export interface SessionChanges {
  signedIn(change: SessionChange, within: (session: Queries) => Promise<void>): Promise<void>;
  signedOut(change: SessionChange, within: (session: Queries) => Promise<void>): Promise<void>;
  refused(change: Omit<SessionChange, 'principal' | 'id'>): Promise<void>;
}

/** Facts of a record about a session. None of them is a secret. */
export interface SessionChange {
  readonly principal: Principal;
  /** Id of the session. */
  readonly id: string;
  /** How the person signed in. */
  readonly method: SignInMethod;
  readonly now: number;
  /** Network address of the browser, or of the proxy in front of the service. */
  readonly address: string | undefined;
}

/** With an API key, with a link that was printed in the terminal, or with a login of the OpenID provider. */
export type SignInMethod = 'key' | 'link' | 'login';

/** A session that was found by its cookie. */
export interface ConsoleSession {
  readonly id: string;
  readonly principal: Principal;
  /** For people: the name of the key. Absent for a login. */
  readonly name: string | undefined;
  /** When the session ends at the latest, ms since the epoch. */
  readonly expiresAt: number;
  /** What a request that changes something must repeat in a header. */
  readonly csrf: string;
}

interface SessionRow {
  readonly id: string;
  readonly key_id: string | null;
  readonly mac: Uint8Array;
  /** JSON of the principal. */
  readonly login: string | null;
  readonly used_at: Date;
  readonly expires_at: Date;
  readonly name: string | null;
  readonly scopes: Scope[] | null;
  readonly tenants: string[] | null;
  readonly subject: string | null;
  readonly key_expires_at: Date | null;
}

/**
 * Sessions of people who are signed in to the console. Every request reads the session and its key from the store: nothing is cached, so
 * a session that was ended on one replica has ended on all. The store has an HMAC of the cookie's secret and of the row, with a key from
 * the signer's directory: a login of the database can neither make a session nor give one the rights of another key.
 */
export class ConsoleSessions {
  readonly #database: Database;
  readonly #changes: SessionChanges;
  readonly #macKey: Uint8Array;
  readonly #now: () => number;

  /** @param macKey a secret of the service that is not in the database; all replicas have the same one */
  constructor(database: Database, changes: SessionChanges, macKey: Uint8Array, now: () => number = Date.now) {
    this.#database = database;
    this.#changes = changes;
    this.#macKey = macKey;
    this.#now = now;
  }

  /**
   * Eight characters for the names of this service's cookies, the same on all replicas. Browsers send a cookie to every port and path of a host: with
   * one name for all services, a sign-in to one of them would end the session of another.
   */
  get cookieLabel(): string {
    return createHmac('sha256', this.#macKey).update('tallystick console cookie').digest('hex').slice(0, 8);
  }

  /**
   * Opens a session for a caller who has just been authenticated, and records that.
   *
   * @param until when it ends at the latest, ms since the epoch. @defaultValue twelve hours from now, or when the key expires
   * @returns the value of the cookie: the session's id, and a secret that the store does not have
   * @throws {ServerError} `UNAUTHENTICATED` if the key was revoked meanwhile; `STORE_UNAVAILABLE`
   */
  async open(
    principal: Principal,
    how: Pick<SessionChange, 'method' | 'address'> & { readonly until?: number | undefined },
  ): Promise<string> {
    const now = this.#now();
    const id = randomBytes(idLength / 2).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    const { expiresAt: _, session: __, ...login } = principal;
    const keyId = keyIdOf(principal) ?? null;
    const until = Math.min(how.until ?? Number.POSITIVE_INFINITY, now + lifetimeMs);
    const row = {
      id,
      key_id: keyId,
      login: keyId === null ? JSON.stringify(login) : null,
      expires_at: new Date(until),
    };
    await this.#database.query(writer, pruneSql, [iso(now), iso(now - idleMs)]);
    await this.#changes.signedIn({ ...how, principal, id, now }, async (session) => {
      const mac = this.#macOf(secret, row);
      const rows = await session.query(openSql, [id, mac, row.key_id, row.login, iso(now), iso(until)]);
      if (rows.length === 0)
        throw new ServerError('UNAUTHENTICATED', 'the API key was revoked or has expired');
    });
    return `${id}${secret}`;
  }

  /** Records an attempt to sign in that was refused. */
  async refuse(method: SignInMethod, address: string | undefined): Promise<void> {
    await this.#changes.refused({ method, address, now: this.#now() });
  }

  /** The session of a cookie; `undefined` if it has ended, or never was. */
  async find(cookie: string): Promise<ConsoleSession | undefined> {
    const now = this.#now();
    const id = cookie.slice(0, idLength);
    const secret = cookie.slice(idLength);
    const [row] = await this.#database.query<SessionRow>(writer, findSql, [id, iso(now), iso(now - idleMs)]);
    if (row === undefined || !this.#isGenuine(secret, row)) return undefined;
    if (row.used_at.getTime() < now - touchEveryMs) await this.#touch(row.id, now);
    const principal = principalOf(row);
    return {
      id,
      principal,
      name: row.name ?? undefined,
      expiresAt: principal.expiresAt,
      csrf: csrfOf(secret),
    };
  }

  /** Whether this service made the row, for this secret. A login of the database can write any value into it. */
  #isGenuine(secret: string, row: SessionRow): boolean {
    // `infinity` is not a date on one kind of store, and an invalid one on the other.
    if (!(row.expires_at instanceof Date) || Number.isNaN(row.expires_at.getTime())) return false;
    const mac = this.#macOf(secret, row);
    return row.mac.length === mac.length && timingSafeEqual(row.mac, mac);
  }

  #macOf(secret: string, row: Pick<SessionRow, 'id' | 'key_id' | 'login' | 'expires_at'>): Buffer {
    const { id, key_id, login, expires_at } = row;
    const text = JSON.stringify([id, secret, key_id, login, expires_at.toISOString()]);
    return createHmac('sha256', this.#macKey).update(text).digest();
  }

  /** Ends a session on every replica, and records that. */
  async end(session: ConsoleSession, address: string | undefined): Promise<void> {
    const { id, principal } = session;
    const method = keyIdOf(principal) === undefined ? 'login' : 'key';
    await this.#changes.signedOut({ principal, id, method, address, now: this.#now() }, async (queries) => {
      await queries.query('delete from audit_console_sessions where id = $1', [id]);
    });
  }

  async #touch(id: string, now: number): Promise<void> {
    const sql =
      'update audit_console_sessions set used_at = $2::timestamptz where id = $1 and used_at < $2::timestamptz';
    await this.#database.query(writer, sql, [id, iso(now)]);
  }
}

/** Which of these sessions have not ended. */
export async function usableAmong(
  queries: Queries,
  ids: readonly string[],
  now: number,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await queries.query<{ id: string }>(usableSql, [[...ids], iso(now), iso(now - idleMs)]);
  return new Set(rows.map(({ id }) => id));
}

function principalOf(row: SessionRow): Principal & { readonly expiresAt: number } {
  const keyExpiresAt = row.key_expires_at?.getTime() ?? Number.POSITIVE_INFINITY;
  const ofSession = { session: row.id, expiresAt: Math.min(row.expires_at.getTime(), keyExpiresAt) };
  if (row.login !== null) return { ...(JSON.parse(row.login) as Principal), ...ofSession };
  return {
    id: `key:${row.key_id}`,
    scopes: row.scopes!,
    tenants: row.tenants ?? undefined,
    ...(row.subject !== null && { subject: row.subject }),
    ...ofSession,
  };
}

/** A page of another site can make the browser send the cookie, but it can't read the secret, and so it can't know this value. */
function csrfOf(secret: string): string {
  return createHmac('sha256', secret).update('tallystick console csrf').digest('base64url');
}

function keyIdOf({ id }: Principal): string | undefined {
  return /^key:(.+)$/.exec(id)?.[1];
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
