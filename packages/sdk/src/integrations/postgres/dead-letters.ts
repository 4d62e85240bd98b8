import type { AuditEvent } from '@tallystick/event';
import { invalidConfig } from '../../configuration.ts';
import type { OutboxStore } from './outbox-store.ts';
import { rowsOf, type SqlClient } from './sql-client.ts';

/** An event of an outbox that the service refused permanently. */
export interface OutboxDeadLetter {
  /** Identifies the dead letter; ascending in the order in which events were written into the outbox. */
  readonly position: string;
  /** `audit_id` of the event. */
  readonly id: string;
  readonly tenantId: string;
  readonly eventType: string;
  /** Why it was refused, such as `REJECTED: FIELD_TYPE at /actor_id`. */
  readonly reason: string;
  readonly writtenAt: Date;
  readonly refusedAt: Date;
  /** The event in its wire form, without the secrets that redaction finds. */
  readonly event: AuditEvent;
}

/** Which dead letters a call is about: some of a list, or all. */
export type DeadLetterChoice = 'all' | readonly Pick<OutboxDeadLetter, 'position'>[];

interface Row {
  readonly position: string;
  readonly audit_id: string;
  readonly tenant_id: string;
  readonly event_type: string;
  readonly reason: string;
  readonly written: number;
  readonly refused: number;
  readonly event: string;
}

/** The events of an outbox that the service refused permanently. They stay in the table until an operator decides. */
export class OutboxDeadLetters {
  readonly #db: SqlClient;
  readonly #store: OutboxStore;

  constructor(db: SqlClient, store: OutboxStore) {
    this.#db = db;
    this.#store = store;
  }

  /** Dead letters in the order in which their events were written. `after`: the position of the last one of the page before. */
  async list({
    limit = 100,
    after = '0',
  }: {
    readonly limit?: number;
    readonly after?: string;
  } = {}): Promise<readonly OutboxDeadLetter[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
      throw invalidConfig('limit must be an integer from 1 to 1000');
    const text = `select position::text as position, audit_id::text as audit_id, tenant_id, event_type, event, reason,
  extract(epoch from created_at)::float8 as written, extract(epoch from refused_at)::float8 as refused
from ${this.#store.tables.deadLetters} as dead where dead.position > $1::bigint order by dead.position limit $2::int`;
    const rows = await rowsOf<Row>(this.#db, text, [after, limit]);
    return rows.map((row) => ({
      position: row.position,
      id: row.audit_id,
      tenantId: row.tenant_id,
      eventType: row.event_type,
      reason: row.reason,
      writtenAt: new Date(Number(row.written) * 1000),
      refusedAt: new Date(Number(row.refused) * 1000),
      event: JSON.parse(row.event) as AuditEvent,
    }));
  }

  /**
   * Puts dead letters back into the outbox, behind the events that wait. Their id, content and time stay the same.
   *
   * @returns how many there were
   */
  async retry(choice: DeadLetterChoice): Promise<number> {
    const { waiting, deadLetters } = this.#store.tables;
    const text = `with again as (delete from ${deadLetters} where ${chosen} returning *)
insert into ${waiting} (created_at, audit_id, tenant_id, event_type, event)
select created_at, audit_id, tenant_id, event_type, event from again order by again.position
returning 1`;
    return (await rowsOf(this.#db, text, [positionsOf(choice)])).length;
  }

  /**
   * Deletes dead letters.
   *
   * @returns how many there were
   */
  async purge(choice: DeadLetterChoice): Promise<number> {
    const text = `delete from ${this.#store.tables.deadLetters} where ${chosen} returning 1`;
    return (await rowsOf(this.#db, text, [positionsOf(choice)])).length;
  }
}

/** `null` chooses all. */
const chosen =
  '($1::json is null or position = any (array(select value::bigint from json_array_elements_text($1::json) as listed (value))))';

function positionsOf(choice: DeadLetterChoice): string | null {
  return choice === 'all' ? null : JSON.stringify(choice.map(({ position }) => position));
}
