import { createHash } from 'node:crypto';
import { uuidv7 } from '@tallystick/event';
import { ServerError } from '../errors.ts';
import { type Database, type Session, writer } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { yieldEvery } from '../timing/yield.ts';
import { fillEvent, type MissingFields, missingIn } from './fill-event.ts';

const claimKeys = readSql('claim-idempotency-keys');
const readKeys = readSql('read-idempotency-keys');
const pruneKeys = readSql('prune-idempotency-keys');

/** Events that are read before the event loop serves other work. */
const eventsPerTurn = 64;
const pruneEveryMs = 60 * 60 * 1000;
const pruneAtOnce = 10_000;

/** A request with the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header). */
export interface KeyedRequest {
  /** The value of the header. */
  readonly key: string;
  readonly principal: string;
  /** Tenants that the principal may write for. Absent: every tenant. */
  readonly tenants: readonly string[] | undefined;
  /** The whole body, unpacked. */
  readonly body: Uint8Array;
}

interface KeyRow {
  readonly index: number;
  readonly audit_id: string;
  readonly timestamp: Date;
  readonly body_sha256: Uint8Array;
}

/**
 * Fills the `audit_id` and the `timestamp` of events whose request has an idempotency key. The first request commits them, and
 * every retry within seven days gets the same ones, on every replica, so that the chain holds the event once.
 *
 * Durable after {@link complete}: the ids and times. A crash before it loses nothing that the client knows of. A crash after it
 * loses only the request: the client's retry gets the same ids.
 */
export class IdempotencyKeys {
  readonly #database: Database;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
  }

  /**
   * @returns the events, in their order. One that can't be admitted anyway stays as it is: admission names the reason
   * @throws {ServerError} `IDEMPOTENCY_KEY_REUSED` where the key was used with another body; `STORE_UNAVAILABLE`
   */
  async complete<E extends Uint8Array>(request: KeyedRequest, events: readonly E[]): Promise<(E | Buffer)[]> {
    const now = this.#now();
    const missing: (MissingFields | undefined)[] = [];
    const turn = yieldEvery(eventsPerTurn);
    for (const event of events) {
      await turn();
      missing.push(missingIn(event));
    }
    const fresh = { audit_id: () => uuidv7(now), timestamp: new Date(now) };
    const isPermitted = ({ tenantId }: MissingFields) =>
      request.tenants === undefined || request.tenants.includes(tenantId);
    const keyed = missing.flatMap((fields, index) =>
      fields !== undefined && isPermitted(fields) ? [{ tenantId: fields.tenantId, index }] : [],
    );
    const rows = keyed.length === 0 ? [] : await this.#claim(request, keyed, fresh);
    const rowOf = new Map(rows.map((row) => [row.index, row]));
    return events.map((event, index) => {
      const fields = missing[index];
      if (fields === undefined) return event;
      // Admission refuses an event for a tenant of others, and keeps no trace of it: neither does the table of keys.
      const { audit_id, timestamp } = rowOf.get(index) ?? {
        audit_id: fresh.audit_id(),
        timestamp: fresh.timestamp,
      };
      return fillEvent(event, fields, { audit_id, timestamp: timestamp.toISOString() });
    });
  }

  async #claim(
    { principal, key, body }: KeyedRequest,
    keyed: readonly { readonly tenantId: string; readonly index: number }[],
    fresh: { readonly audit_id: () => string; readonly timestamp: Date },
  ): Promise<KeyRow[]> {
    const digest = createHash('sha256').update(body).digest();
    const tenants = keyed.map(({ tenantId }) => tenantId);
    const indexes = keyed.map(({ index }) => index);
    const ids = keyed.map(() => fresh.audit_id());
    return await this.#database.transaction(writer, async (session: Session) => {
      const claim = [principal, key, fresh.timestamp, digest, tenants, indexes, ids];
      await session.query(claimKeys, claim);
      const rows = await session.query<KeyRow>(readKeys, [principal, key, tenants, indexes]);
      // The error rolls back what this request has claimed beside the rows of the other one.
      if (rows.some(({ body_sha256 }) => !digest.equals(body_sha256))) {
        throw new ServerError(
          'IDEMPOTENCY_KEY_REUSED',
          'the Idempotency-Key was used with another body; send the same body again, or use a new key',
        );
      }
      return rows;
    });
  }

  /** Deletes the keys that are older than seven days. */
  async prune(): Promise<void> {
    for (;;) {
      const pruned = await this.#database.query(writer, pruneKeys, [pruneAtOnce]);
      if (pruned.length < pruneAtOnce) return;
    }
  }

  /** Prunes every hour until {@link stop}. The timer does not keep the process alive. */
  keepPruned(onError: (error: unknown) => void): void {
    this.#timer = setInterval(() => this.prune().catch(onError), pruneEveryMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
