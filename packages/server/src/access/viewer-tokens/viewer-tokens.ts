import { randomBytes } from 'node:crypto';
import type { EventFilters } from '@tallystick/event';
import { type Scope, type ViewerTokenInfo, viewerTokenPrefix } from '@tallystick/protocol';
import { ServerError } from '../../errors.ts';
import { type Database, type Queries, writer } from '../../store/database.ts';
import { readSql } from '../../store/sql.ts';
import { timeText } from '../../store/time-text.ts';
import { hasScope, mayUseTenant, type Principal } from '../principal.ts';
import type { TokenChanges } from './token-changes.ts';
import {
  type FoundRow,
  filtersOf,
  infoOf,
  isGenuine,
  isReadable,
  type ListedRow,
  macOf,
  type TokenRow,
  unauthenticated,
} from './token-row.ts';
import { formatViewerFilters, viewerScope } from './viewer-scope.ts';

const openSql = readSql('open-viewer-token');
const findSql = readSql('find-viewer-token');
const usableSql = readSql('usable-viewer-tokens');
const pruneSql = readSql('prune-viewer-tokens');
const listSql = readSql('list-viewer-tokens');
const countSql = readSql('count-viewer-tokens');

/** How long a token works, ms: the bounds, and the default. */
export const viewerLifetimeMs = { least: 60_000, most: 60 * 60_000, standard: 15 * 60_000 } as const;

/** Most tokens of one API key that have not expired. */
export const maxLiveTokens = 10_000;

/** Rights that a token has if its API key has them. */
const viewerScopes = ['events:read', 'log:read'] as const satisfies readonly Scope[];

const tokenPattern = new RegExp(`^${viewerTokenPrefix}([0-9a-f]{16})_([0-9a-f]{64})$`);

/** What a new token shows, and for how long. */
export interface NewToken {
  readonly tenantId: string;
  /** Filters by values: those of a stream. */
  readonly filters: EventFilters;
  readonly lifetimeMs: number;
  readonly includeRecords: boolean;
  readonly includeIngest: boolean;
}

/** What a page of tokens begins after. */
export interface TokenPlace {
  readonly createdAt: string;
  readonly id: string;
}

/**
 * Viewer tokens, `tally_view_<id>_<secret>`: a backend makes one with its API key, and a browser reads a part of one tenant's trail with it.
 *
 * They are rows and not signed statements: a signed statement works until it expires, on every replica that does not know that it was revoked.
 * Each request reads the row together with the row of the API key, so a token ends on all replicas at once when it or its key is revoked. This
 * costs one look-up by primary key per request.
 */
export class ViewerTokens {
  readonly #database: Database;
  readonly #changes: TokenChanges;
  readonly #macKey: Uint8Array;
  readonly #now: () => number;

  /** @param macKey a secret of the service that is not in the database; all replicas have the same one */
  constructor(database: Database, changes: TokenChanges, macKey: Uint8Array, now: () => number = Date.now) {
    this.#database = database;
    this.#changes = changes;
    this.#macKey = macKey;
    this.#now = now;
  }

  /**
   * Makes a token, and records that, in one transaction.
   *
   * @param issuer an API key, and no login or session: the token ends with the key
   * @returns the token itself, which can't be read again later; undefined if the key has {@link maxLiveTokens} that have not expired
   * @throws {ServerError} `FORBIDDEN`, `PARAMETER_INVALID`; `UNAUTHENTICATED` if the key was revoked meanwhile; `CHAIN_STOPPED`,
   *   `CLOCK_BEHIND_CHAIN` or `STORE_UNAVAILABLE` where no record can be written
   */
  async issue(
    issuer: Principal,
    token: NewToken,
  ): Promise<{ readonly token: string; readonly info: ViewerTokenInfo } | undefined> {
    const keyId = keyIdOf(issuer);
    const lacking = viewerScopes.find((scope) => !hasScope(issuer, scope));
    if (lacking !== undefined)
      throw new ServerError(
        'FORBIDDEN',
        `a token reads what its key may read: the key lacks the scope ${lacking}`,
      );
    const { least, most } = viewerLifetimeMs;
    if (!(token.lifetimeMs >= least && token.lifetimeMs <= most))
      throw invalid('expires_in', `must be ${least / 1_000} to ${most / 1_000} seconds`);
    const now = this.#now();
    const row: TokenRow = {
      id: randomBytes(8).toString('hex'),
      key_id: keyId,
      tenant_id: token.tenantId,
      filters: formatViewerFilters(token.filters),
      include_records: token.includeRecords,
      include_ingest: token.includeIngest,
      expires_at: new Date(now + token.lifetimeMs),
    };
    const secret = randomBytes(32).toString('hex');
    await this.#database.query(writer, pruneSql, [iso(now)]);
    if (await this.#database.transaction(writer, (session) => this.#hasMost(session, keyId)))
      return undefined;
    const { id, key_id, tenant_id, filters, include_records, include_ingest, expires_at } = row;
    const info = infoOf({ ...row, created_at: new Date(now) });
    const facts = { ...info, token_id: id };
    const change = { id, by: issuer.id, now, tenantId: tenant_id, facts };
    const within = async (session: Queries) => {
      // Again: the transaction has the lock of the service's chain, in which each token is recorded, so tokens are made one after the other.
      if (await this.#hasMost(session, keyId)) throw tooMany;
      const mac = macOf(row, secret, this.#macKey);
      const flags = [include_records, include_ingest];
      const values = [id, mac, key_id, tenant_id, filters, ...flags, iso(now), expires_at.toISOString()];
      if ((await session.query(openSql, values)).length === 0)
        throw new ServerError('UNAUTHENTICATED', 'the API key was revoked or has expired');
    };
    try {
      await this.#changes.issued(change, within);
    } catch (error) {
      if (error === tooMany) return undefined;
      throw error;
    }
    return { token: `${viewerTokenPrefix}${id}_${secret}`, info };
  }

  async #hasMost(queries: Queries, keyId: string): Promise<boolean> {
    const [row] = await queries.query<{ live: number }>(countSql, [keyId, iso(this.#now()), maxLiveTokens]);
    return row!.live >= maxLiveTokens;
  }

  /**
   * Finds the token, and what its holder may do. Nothing is cached.
   *
   * @throws {ServerError} `UNAUTHENTICATED`, always with the same message
   */
  async authenticate(token: string): Promise<Principal> {
    const match = tokenPattern.exec(token);
    const now = iso(this.#now());
    const [row] =
      match === null ? [] : await this.#database.query<FoundRow>(writer, findSql, [match[1], now]);
    if (row === undefined || !isGenuine(row, match![2]!, this.#macKey)) throw unauthenticated();
    const key: Principal = {
      id: `key:${row.key_id}`,
      scopes: row.scopes,
      tenants: row.tenants ?? undefined,
    };
    if (!mayUseTenant(key, row.tenant_id)) throw unauthenticated();
    return {
      id: `viewer:${row.id}`,
      scopes: viewerScopes.filter((scope) => hasScope(key, scope)),
      tenants: [row.tenant_id],
      // A block of the key's subject ends the token too.
      ...(row.subject !== null && { subject: row.subject }),
      expiresAt: Math.min(
        row.expires_at.getTime(),
        row.key_expires_at?.getTime() ?? Number.POSITIVE_INFINITY,
      ),
      viewer: {
        token: row.id,
        issuer: key.id,
        within: viewerScope(filtersOf(row)),
        includeRecords: row.include_records,
        includeIngest: row.include_ingest,
      },
    };
  }

  /**
   * Tokens that work at the moment. A row that somebody has edited in the database, so that it can't be read, is no such token: it is left out,
   * and a page may have fewer tokens than `limit`.
   */
  async list(query: {
    /** Tenants of the caller; undefined: every tenant. */
    readonly among: readonly string[] | undefined;
    readonly after: TokenPlace | undefined;
    readonly limit: number;
  }): Promise<{ readonly tokens: readonly ViewerTokenInfo[]; readonly next: TokenPlace | undefined }> {
    const { among, after, limit } = query;
    const values = [
      iso(this.#now()),
      among === undefined ? null : [...among],
      after?.createdAt ?? '9999-12-31T00:00:00Z',
      after?.id ?? '',
      limit + 1,
    ];
    const rows = await this.#database.query<ListedRow>(writer, listSql, values);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return {
      tokens: shown.filter(isReadable).map(infoOf),
      next: last === undefined ? undefined : { createdAt: timeText(last.created_at), id: last.id },
    };
  }

  /**
   * Ends a token on every replica, and its streams within a second, and records that.
   *
   * @throws {ServerError} `NOT_FOUND`, also for a token of a tenant that the caller may not use
   */
  async revoke(id: string, caller: Principal): Promise<void> {
    const [row] = await this.#database.query<{ tenant_id: string }>(
      writer,
      'select tenant_id from audit_viewer_tokens where id = $1',
      [id],
    );
    if (row === undefined || !mayUseTenant(caller, row.tenant_id))
      throw new ServerError('NOT_FOUND', 'no such viewer token, or it has expired');
    const change = { id, by: caller.id, now: this.#now(), tenantId: row.tenant_id };
    await this.#changes.revoked(change, async (session) => {
      await session.query('delete from audit_viewer_tokens where id = $1', [id]);
    });
  }
}

/** Which of these tokens have not ended. */
export async function usableViewerTokens(
  queries: Queries,
  ids: readonly string[],
  now: number,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await queries.query<{ id: string }>(usableSql, [[...ids], iso(now)]);
  return new Set(rows.map(({ id }) => id));
}

/** Whether a credential is a viewer token, by its form. */
export function isViewerToken(credential: string): boolean {
  return credential.startsWith(viewerTokenPrefix);
}

function keyIdOf({ id, session }: Principal): string {
  const keyId = session === undefined ? /^key:(.+)$/.exec(id)?.[1] : undefined;
  if (keyId !== undefined) return keyId;
  throw new ServerError('FORBIDDEN', 'a viewer token is made with an API key: it ends with that key');
}

/** Ends the transaction of a token that would be one too many. */
const tooMany = new Error('the API key has as many viewer tokens as it may have');

function invalid(parameter: string, what: string): ServerError {
  return new ServerError('PARAMETER_INVALID', `${parameter} ${what}`, { details: { parameter } });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
