import type { BlockedSubject } from '@tallystick/protocol';
import { ServerError } from '../errors.ts';
import { type Database, type Queries, writer } from '../store/database.ts';
import { timeText } from '../store/time-text.ts';
import { assertSubjectName } from './subject-name.ts';

/** Stores changes of blocks, each with its record. */
export interface SubjectChanges {
  block(subject: string, reason: string | undefined, change: Change): Promise<void>;
  unblock(subject: string, change: Change): Promise<void>;
}

interface Change {
  readonly by: string;
  readonly now: number;
}

/** How long the answer about a subject is cached, ms. On other replicas a blocked subject can begin a request for this long. */
const cacheMs = 500;

const blockedSql = 'select subject from audit_blocked_subjects where subject = any ($1::text[])';

/** Which of these subjects are blocked. */
export async function blockedAmong(
  queries: Queries,
  subjects: readonly string[],
): Promise<ReadonlySet<string>> {
  if (subjects.length === 0) return new Set();
  const rows = await queries.query<{ subject: string }>(blockedSql, [[...subjects]]);
  return new Set(rows.map(({ subject }) => subject));
}

export function subjectBlocked(): ServerError {
  return new ServerError('UNAUTHENTICATED', 'the subject of the credential is blocked');
}

/**
 * Subjects whose credentials the service refuses: the logins of a person who left, whose tokens are still valid, and the keys that are
 * bound to the subject. A subject is compared letter by letter.
 */
export class BlockedSubjects {
  readonly #database: Database;
  readonly #changes: SubjectChanges;
  readonly #now: () => number;
  /** By subject. Bounded; owned by this object. */
  readonly #cache = new Map<string, { readonly blocked: boolean; readonly until: number }>();
  /** Number of changes. A look-up that began before a change must not be cached after it. */
  #changed = 0;

  constructor(database: Database, changes: SubjectChanges, now: () => number = Date.now) {
    this.#database = database;
    this.#changes = changes;
    this.#now = now;
  }

  /** @throws {ServerError} `UNAUTHENTICATED` for a blocked subject; `STORE_UNAVAILABLE` where that can't be looked up */
  async assertAllowed(subject: string): Promise<void> {
    if (await this.#isBlocked(subject)) throw subjectBlocked();
  }

  async #isBlocked(subject: string): Promise<boolean> {
    const cached = this.#cache.get(subject);
    if (cached !== undefined && cached.until > this.#now()) return cached.blocked;
    const changed = this.#changed;
    const rows = await this.#database.query(writer, blockedSql, [[subject]]);
    const blocked = rows.length > 0;
    if (changed !== this.#changed) return blocked;
    if (this.#cache.size >= 10_000) this.#cache.clear();
    this.#cache.set(subject, { blocked, until: this.#now() + cacheMs });
    return blocked;
  }

  /** All blocked subjects, the first block first. */
  async list(): Promise<BlockedSubject[]> {
    const rows = await this.#database.query<{
      subject: string;
      blocked_at: Date;
      blocked_by: string;
      reason: string | null;
    }>(
      writer,
      'select subject, blocked_at, blocked_by, reason from audit_blocked_subjects order by blocked_at, subject',
    );
    return rows.map(({ blocked_at, reason, ...row }) => ({
      ...row,
      blocked_at: timeText(blocked_at),
      ...(reason !== null && { reason }),
    }));
  }

  /**
   * Blocks a subject, and records that in the chain of the service's tenant, in one transaction. Its requests are refused at once on this
   * replica, and within half a second on the others; its streams end within a second on all of them. A block of a blocked subject
   * changes nothing.
   *
   * @param by principal of the caller
   * @throws {ServerError} `PARAMETER_INVALID`
   */
  async block(subject: string, reason: string | undefined, by: string): Promise<void> {
    assertSubjectName(subject);
    if ((await blockedAmong(this.#queries(), [subject])).size === 0)
      await this.#changes.block(subject, reason, { by, now: this.#now() });
    this.#forget();
  }

  /** @throws {ServerError} `NOT_FOUND`, and the errors of the chain: a block does not end without a record */
  async unblock(subject: string, by: string): Promise<void> {
    if ((await blockedAmong(this.#queries(), [subject])).size === 0)
      throw new ServerError('NOT_FOUND', 'no such subject is blocked');
    await this.#changes.unblock(subject, { by, now: this.#now() });
    this.#forget();
  }

  #queries(): Queries {
    return { query: (sql, parameters) => this.#database.query(writer, sql, parameters) };
  }

  #forget(): void {
    this.#changed++;
    this.#cache.clear();
  }
}
