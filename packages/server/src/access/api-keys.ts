import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { tenantIdPattern } from '@tallystick/event';
import { type ApiKeyInfo, apiKeyPrefix, type Scope, scopes } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';
import { type Database, writer } from '../store/database.ts';
import { timeText } from '../store/time-text.ts';
import type { Principal } from './principal.ts';
import { assertSubjectName } from './subject-name.ts';

/** Name, rights and lifetime of a new key. */
export interface NewApiKey {
  /** For people: what the key is for. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Tenants that the key may access; every tenant where absent. */
  readonly tenants?: readonly string[] | undefined;
  readonly expiresAt?: Date | undefined;
  /** The person or agent who uses the key. */
  readonly subject?: string | undefined;
}

/** Stores changes of keys, each with its record. */
export interface KeyChanges {
  create(
    key: NewApiKey & {
      readonly id: string;
      readonly tenants: readonly string[] | undefined;
      readonly expiresAt: Date | undefined;
      readonly subject: string | undefined;
    },
    secretHash: Uint8Array,
    change: { readonly by: string; readonly now: number },
  ): Promise<void>;
  revoke(id: string, change: { readonly by: string; readonly now: number }): Promise<void>;
}

/** Principal of a change that no API key authenticated, such as one on the command line of the store's machine. */
const operator = 'operator';

const keyPattern = new RegExp(`^${apiKeyPrefix}([0-9a-f]{12})_([0-9a-f]{64})$`);

/** How long a key is cached, ms. On other replicas a revoked key works for this long. */
const cacheMs = 5_000;

/**
 * API keys, `tally_<id>_<secret>`. The store has the id and the SHA-256 of the secret, so a leaked table contains no usable
 * key. The secret has 256 random bits: a slow password hash would not protect it better.
 */
export class ApiKeys {
  readonly #database: Database;
  readonly #changes: KeyChanges;
  readonly #now: () => number;
  /** Cached keys, by the hash of the whole key. Bounded; owned by this object. */
  readonly #cache = new Map<string, { readonly principal: Principal; readonly until: number }>();
  /** Number of revocations. A look-up that began before a revocation must not be cached after it. */
  #revocations = 0;

  constructor(database: Database, changes: KeyChanges, now: () => number = Date.now) {
    this.#database = database;
    this.#changes = changes;
    this.#now = now;
  }

  /**
   * Creates a key, and records that in the chain of the service's tenant, in one transaction.
   *
   * @param by principal of the caller
   * @returns the key itself. It cannot be read again later
   * @throws {ServerError} `PARAMETER_INVALID`; `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN` or `STORE_UNAVAILABLE` where no record
   *   can be written
   */
  async create(
    key: NewApiKey,
    by: string = operator,
  ): Promise<{ readonly key: string; readonly id: string }> {
    if (key.name.trim() === '' || key.name.length > 200 || /\p{Cc}/u.test(key.name))
      throw invalid('name', 'must have 1 to 200 characters, none of them a control character');
    if (key.expiresAt !== undefined && Number.isNaN(key.expiresAt.getTime()))
      throw invalid('expiresAt', 'must be a time');
    if (key.scopes.length === 0 || key.scopes.some((scope) => !scopes.includes(scope))) {
      throw invalid('scopes', `must be some of ${scopes.join(', ')}`);
    }
    if (key.tenants?.some((tenant) => !tenantIdPattern.test(tenant)) || key.tenants?.length === 0) {
      throw invalid('tenants', 'must be tenant ids');
    }
    if (key.subject !== undefined) assertSubjectName(key.subject);
    const id = randomBytes(6).toString('hex');
    const secret = randomBytes(32).toString('hex');
    const { name, scopes: granted, tenants, expiresAt, subject } = key;
    const change = { by, now: this.#now() };
    await this.#changes.create(
      { id, name, scopes: granted, tenants, expiresAt, subject },
      sha256(secret),
      change,
    );
    return { id, key: `${apiKeyPrefix}${id}_${secret}` };
  }

  /**
   * Finds the caller that a key belongs to.
   *
   * @throws {ServerError} `UNAUTHENTICATED`: always with the same message, and after the same comparison
   */
  async authenticate(key: string): Promise<Principal> {
    const digest = sha256(key).toString('hex');
    const cached = this.#cache.get(digest);
    if (cached !== undefined && cached.until > this.#now()) return cached.principal;
    const revocations = this.#revocations;
    const match = keyPattern.exec(key);
    const [row] =
      match === null
        ? []
        : await this.#database.query<{
            secret_hash: Uint8Array;
            scopes: Scope[];
            tenants: string[] | null;
            expires_at: Date | null;
            subject: string | null;
          }>(
            writer,
            'select secret_hash, scopes, tenants, expires_at, subject from audit_api_keys where id = $1 and revoked_at is null',
            [match[1]],
          );
    const offered = sha256(match?.[2] ?? '');
    const valid =
      row !== undefined &&
      timingSafeEqual(offered, row.secret_hash) &&
      (row.expires_at === null || row.expires_at.getTime() > this.#now());
    if (!valid) throw new ServerError('UNAUTHENTICATED', 'a valid API key is needed');
    const principal: Principal = {
      id: `key:${match![1]}`,
      scopes: row.scopes,
      tenants: row.tenants ?? undefined,
      ...(row.subject !== null && { subject: row.subject }),
    };
    if (revocations !== this.#revocations) return principal;
    if (this.#cache.size >= 10_000) this.#cache.clear();
    const until = Math.min(this.#now() + cacheMs, row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY);
    this.#cache.set(digest, { principal, until });
    return principal;
  }

  /** All keys, oldest first, also revoked and expired ones. */
  async list(): Promise<ApiKeyInfo[]> {
    const rows = await this.#database.query<{
      id: string;
      name: string;
      scopes: Scope[];
      tenants: string[] | null;
      created_at: Date;
      expires_at: Date | null;
      revoked_at: Date | null;
      subject: string | null;
    }>(
      writer,
      'select id, name, scopes, tenants, created_at, expires_at, revoked_at, subject from audit_api_keys order by created_at, id',
    );
    return rows.map((row) => ({
      ...row,
      tenants: row.tenants ?? undefined,
      created_at: timeText(row.created_at),
      expires_at: row.expires_at === null ? undefined : timeText(row.expires_at),
      revoked_at: row.revoked_at === null ? undefined : timeText(row.revoked_at),
      subject: row.subject ?? undefined,
    }));
  }

  /**
   * Revokes a key, and records that in the chain of the service's tenant, in one transaction. It stops working at once on
   * this replica, and within five seconds on the others. Its streams end within a second on all of them; see
   * {@link KeyWatch}. A chain that takes no record does not keep a key alive: the key is revoked without one, and the
   * verification reports that until the recovery of the chain puts it on record.
   *
   * @param by principal of the caller
   * @throws {ServerError} `NOT_FOUND`
   */
  async revoke(id: string, by: string = operator): Promise<void> {
    const [known] = await this.#database.query<{ revoked: boolean }>(
      writer,
      'select revoked_at is not null as revoked from audit_api_keys where id = $1',
      [id],
    );
    if (known === undefined) throw new ServerError('NOT_FOUND', 'no such API key');
    if (!known.revoked) await this.#changes.revoke(id, { by, now: this.#now() });
    this.#revocations++;
    this.#cache.clear();
  }
}

function sha256(content: string | Uint8Array): Buffer {
  return createHash('sha256').update(content).digest();
}

function invalid(parameter: string, what: string): ServerError {
  return new ServerError('PARAMETER_INVALID', `${parameter} ${what}`, { details: { parameter } });
}
