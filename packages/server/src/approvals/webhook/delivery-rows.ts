import type { WebhookDelivery } from '@tallystick/protocol';
import { ServerError } from '../../errors.ts';
import { type Database, type Queries, writer } from '../../store/database.ts';
import { timeText } from '../../store/time-text.ts';

/** A message for one endpoint. */
export interface WebhookMessage {
  readonly endpoint: string;
  /** `audit_id` of the record of the change. */
  readonly id: string;
  readonly tenantId: string;
  readonly eventType: string;
  readonly body: string;
}

/** A message that this replica delivers now. No other replica takes it before the lease ends. */
export interface TakenMessage {
  readonly id: string;
  readonly body: string;
  /** This attempt included. */
  readonly attempts: number;
}

export async function enqueueMessages(session: Queries, messages: readonly WebhookMessage[]): Promise<void> {
  for (const { endpoint, id, tenantId, eventType, body } of messages) {
    await session.query(
      `insert into audit_webhook_deliveries (endpoint, id, tenant_id, event_type, body)
       values ($1, $2, $3, $4, $5)`,
      [endpoint, id, tenantId, eventType, body],
    );
  }
}

/**
 * Takes due messages of an endpoint, the oldest first. Durable when it resolves: a replica that ends now leaves them to the others,
 * after the lease.
 */
export async function takeDue(
  database: Database,
  endpoint: string,
  { limit, leaseMs }: { readonly limit: number; readonly leaseMs: number },
): Promise<readonly TakenMessage[]> {
  return await database.query<{ id: string; body: string; attempts: number }>(
    writer,
    `update audit_webhook_deliveries taken
     set attempts = attempts + 1, next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond'
     from (
       select endpoint, id from audit_webhook_deliveries
       where endpoint = $1 and next_attempt_at <= clock_timestamp()
       order by next_attempt_at limit $2 for update skip locked
     ) due
     where taken.endpoint = due.endpoint and taken.id = due.id
     returning taken.id, taken.body, taken.attempts`,
    [endpoint, limit, leaseMs],
  );
}

/** The endpoint has accepted the message. */
export async function deleteDelivered(database: Database, endpoint: string, id: string): Promise<void> {
  await database.query(writer, 'delete from audit_webhook_deliveries where endpoint = $1 and id = $2', [
    endpoint,
    id,
  ]);
}

/**
 * The attempt has failed. A later attempt of another replica, whose lease came after this one, is not touched.
 *
 * @param retryMs when to try again; absent: never
 */
export async function storeFailure(
  database: Database,
  endpoint: string,
  { id, attempts }: TakenMessage,
  { error, retryMs }: { readonly error: string; readonly retryMs: number | undefined },
): Promise<void> {
  await database.query(
    writer,
    `update audit_webhook_deliveries
     set last_error = $4, next_attempt_at = clock_timestamp() + $5::double precision * interval '1 millisecond'
     where endpoint = $1 and id = $2 and attempts = $3`,
    [endpoint, id, attempts, error, retryMs ?? null],
  );
}

/** Messages that are not delivered, the oldest first. */
export async function listDeliveries(
  database: Database,
  { state, limit }: { readonly state: WebhookDelivery['state'] | undefined; readonly limit: number },
): Promise<readonly WebhookDelivery[]> {
  const rows = await database.query<{
    endpoint: string;
    id: string;
    tenant_id: string;
    event_type: string;
    created_at: Date;
    attempts: number;
    next_attempt_at: Date | null;
    given_up_at: Date | null;
    last_error: string | null;
  }>(
    writer,
    `select endpoint, id, tenant_id, event_type, created_at, attempts, next_attempt_at, given_up_at, last_error
     from audit_webhook_deliveries
     where $1::boolean is null or (next_attempt_at is null) = $1
     order by created_at, endpoint, id limit $2`,
    [state === undefined ? null : state === 'dead', limit],
  );
  return rows.map(({ created_at, next_attempt_at, given_up_at, last_error, ...row }) => ({
    ...row,
    state: next_attempt_at === null ? 'dead' : 'waiting',
    created_at: timeText(created_at),
    ...(next_attempt_at !== null && { next_attempt_at: timeText(next_attempt_at) }),
    ...(given_up_at !== null && { given_up_at: timeText(given_up_at) }),
    ...(last_error !== null && { last_error }),
  }));
}

/** How many messages wait, and how many were given up. */
export async function countDeliveries(
  database: Database,
): Promise<{ readonly waiting: number; readonly dead: number }> {
  const [row] = await database.query<{ waiting: number; dead: number }>(
    writer,
    `select count(next_attempt_at)::int as waiting, (count(*) - count(next_attempt_at))::int as dead
     from audit_webhook_deliveries`,
    [],
  );
  return row!;
}

/**
 * Delivers a message again that was given up, or that waits: at once, and with all its attempts.
 *
 * @throws {ServerError} `NOT_FOUND`
 */
export async function retryDelivery(database: Database, endpoint: string, id: string): Promise<void> {
  const rows = await database.query(
    writer,
    `update audit_webhook_deliveries set attempts = 0, next_attempt_at = clock_timestamp()
     where endpoint = $1 and id = $2 returning 1 as one`,
    [endpoint, id],
  );
  if (rows.length === 0) throw new ServerError('NOT_FOUND', 'no such message waits for delivery');
}
