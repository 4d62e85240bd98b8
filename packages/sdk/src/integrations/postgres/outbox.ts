/**
 * The transactional outbox: a table in the application's own database. The audit event commits with the business rows or not at all.
 * The relay (`relay.ts`) delivers it afterwards.
 */
import { limits } from '@tallystick/event';
import { type Clock, systemClock } from '../../clock.ts';
import { invalidConfig, readOptions } from '../../configuration.ts';
import { AuditError } from '../../errors.ts';
import { EventEncoder, type UnknownFields } from '../../event/encode.ts';
import type { EncodedEvent } from '../../event/encoded-event.ts';
import type { AnyEventInput, AnyTaxonomy, EventInput, TypeIn } from '../../event/input.ts';
import { refusalOf } from '../../event/refusal.ts';
import { openTelemetryTrace, type TraceContext } from '../../observe/correlation.ts';
import type { RedactionOptions } from '../../redaction/options.ts';
import { WireRedactor } from '../../redaction/wire-redactor.ts';
import { type OutboxLocation, outboxTables } from './schema.ts';
import { rowsOf, type SqlClient } from './sql-client.ts';
import { hasWritten, requireTransaction } from './transaction.ts';

/** Options of {@link PostgresOutbox}. */
export interface PostgresOutboxOptions<
  X extends AnyTaxonomy = undefined,
  D extends string | undefined = string | undefined,
> extends OutboxLocation {
  /** Name of the emitting service: `source_service` of every event. */
  readonly service: string;
  /** The tenant of events that name none. @defaultValue none: each event must name its tenant */
  readonly tenantId?: D;
  /** Restricts event types and payloads to those of the taxonomy. @defaultValue any well-formed type is allowed */
  readonly taxonomy?: X;
  /** What happens to members of an event that are not fields; as in the emitter. @defaultValue 'refuse' */
  readonly unknownFields?: UnknownFields | undefined;
  /** Which secrets are removed before the event is written into the table; `false`: none. @defaultValue as in the emitter */
  readonly redaction?: RedactionOptions | false | undefined;
  /** The trace and span of the next event. @defaultValue the active OpenTelemetry span, if OpenTelemetry is installed */
  readonly activeTrace?: (() => TraceContext | undefined) | undefined;
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
}

/** An event that commits with the caller's transaction. */
export interface OutboxRecord {
  /** `audit_id` of the event. */
  readonly id: string;
  readonly createdAt: Date;
}

/** Events of one call of `recordInTransaction`. They are one statement, and are in memory together. */
const maxEventsPerCall = 10_000;

/** Writes audit events into the outbox table, inside the caller's transactions. It holds no connection and no state. */
export class PostgresOutbox<X extends AnyTaxonomy = undefined, D extends string | undefined = undefined> {
  /** `source_service` of every event. */
  readonly service: string;
  readonly #insert: string;
  readonly #encoder: EventEncoder;
  readonly #redactor: WireRedactor | undefined;

  /** @throws {AuditError} `CONFIG_INVALID` for an invalid option */
  constructor(given: PostgresOutboxOptions<X, D>) {
    const options = readOptions<PostgresOutboxOptions<X, D>, object>('postgresOutbox', given, {}, [
      ...(['service', 'tenantId', 'taxonomy', 'unknownFields', 'redaction'] as never[]),
      ...(['activeTrace', 'clock', 'schema'] as never[]),
    ]);
    const { service } = options;
    if (typeof service !== 'string' || service === '' || service.length > limits.maxIdentifierLength) {
      throw invalidConfig(`service must be a text of 1 to ${limits.maxIdentifierLength} characters`);
    }
    this.service = service;
    this.#insert = insertStatement(outboxTables(options).waiting);
    const { redaction = {}, clock = systemClock } = options as PostgresOutboxOptions;
    this.#redactor = redaction === false ? undefined : new WireRedactor(redaction);
    this.#encoder = new EventEncoder({
      service,
      tenantId: options.tenantId as string | undefined,
      taxonomy: options.taxonomy as X,
      unknownFields: options.unknownFields as UnknownFields | undefined,
      now: () => clock.now(),
      activeTrace: (options as PostgresOutboxOptions).activeTrace ?? openTelemetryTrace(),
    });
  }

  /**
   * Adds an event to the transaction that is open on this connection. When the transaction commits, the event is durable and a
   * relay will deliver it. When it rolls back, there is no event.
   *
   * Events of one tenant keep their order if one transaction wrote them, or if the second transaction wrote its event after the
   * first one committed. Transactions that overlap have no order.
   *
   * @param client the connection of the transaction: a client of `pg`, or `drizzleClient(tx)`; not a pool
   * @throws {AuditValidationError} for a programming error, as `emit()` does
   * @throws {AuditError} `EVENT_REFUSED` if the event's data is invalid; `NOT_IN_TRANSACTION` if no transaction is open. Nothing is
   *   written then. Let the error end the transaction.
   */
  recordInTransaction<K extends TypeIn<X>>(
    client: SqlClient,
    event: EventInput<X, K, D>,
  ): Promise<OutboxRecord>;
  recordInTransaction<K extends TypeIn<X>>(
    client: SqlClient,
    events: readonly EventInput<X, K, D>[],
  ): Promise<readonly OutboxRecord[]>;
  async recordInTransaction(
    client: SqlClient,
    given: unknown,
  ): Promise<OutboxRecord | readonly OutboxRecord[]> {
    const inputs = (Array.isArray(given) ? given : [given]) as readonly AnyEventInput[];
    if (inputs.length > maxEventsPerCall) {
      throw new AuditError('EVENT_REFUSED', `one call takes at most ${maxEventsPerCall} events`);
    }
    const events = inputs.map((input) => this.#encode(input));
    if (events.length > 0) await this.#write(client, events);
    const records = events.map(({ id, createdAt }) => ({ id, createdAt: new Date(createdAt) }));
    return Array.isArray(given) ? records : records[0]!;
  }

  #encode(input: AnyEventInput): EncodedEvent {
    const event = this.#encoder.encodeAny(input);
    if (event.violations.length > 0) throw refusalOf(event);
    if (this.#redactor !== undefined) event.text = this.#redactor.redact(event.text);
    return event;
  }

  async #write(client: SqlClient, events: readonly EncodedEvent[]): Promise<void> {
    const rows = events.map(({ id, tenantId, eventType, text }) => [id, tenantId, eventType, text]);
    const values = [JSON.stringify(rows)];
    // Durable when the caller's transaction commits. A crash before that leaves neither the event nor the business rows.
    const written = await rowsOf(client, `${this.#insert} where ${hasWritten} ${inOrder}`, values);
    if (written.length > 0) return;
    await requireTransaction(client);
    await rowsOf(client, `${this.#insert} ${inOrder}`, values);
  }
}

/** One parameter for all events, so that every driver writes it the same way. `json` and not `jsonb` keeps each text as it is. */
function insertStatement(table: string): string {
  return `insert into ${table} (audit_id, tenant_id, event_type, event)
select (event ->> 0)::uuid, event ->> 1, event ->> 2, event ->> 3
from json_array_elements($1::json) with ordinality as given (event, place)`;
}

const inOrder = 'order by place returning position';

/**
 * Creates an outbox.
 *
 * @example
 * const outbox = createPostgresOutbox({ service: 'shop' });
 * await client.query('begin');
 * await client.query('update orders set status = $1 where id = $2', ['refunded', 17]);
 * await outbox.recordInTransaction(client, { tenantId: 'acme', eventType: 'order.refunded', actorType: 'user', actorId: 'u-17' });
 * await client.query('commit');
 */
export function createPostgresOutbox<
  const X extends AnyTaxonomy = undefined,
  D extends string | undefined = undefined,
>(options: PostgresOutboxOptions<X, D>): PostgresOutbox<X, D> {
  return new PostgresOutbox<X, D>(options);
}
