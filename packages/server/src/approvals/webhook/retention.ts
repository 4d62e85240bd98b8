import type { ServiceObserver } from '../../observer.ts';
import { type Database, writer } from '../../store/database.ts';

const defaultKeepMs = 30 * 86_400_000;
/** An endpoint counts as removed if no replica has stored or attempted a message for it for so long. Attempts are at most an hour apart. */
const unservedMs = 86_400_000;
const batchSize = 1_000;

export interface WebhookRetentionOptions {
  readonly database: Database;
  /** Names of the endpoints that this replica serves. */
  readonly endpoints: readonly string[];
  /** How long a message that was given up is kept, ms. @defaultValue 30 days */
  readonly keepMs?: number | undefined;
  /** @defaultValue 24 hours */
  readonly unservedMs?: number | undefined;
  readonly observer?: ServiceObserver | undefined;
}

/**
 * Gives up the messages of endpoints that no replica serves any more, and deletes messages that were given up long ago. A message that
 * is still to be delivered is never deleted. Every replica may call it at any time.
 *
 * Durable after each statement: its part of the work. A crash leaves the rest to the next call, of any replica.
 *
 * @param isStopped ends the work before the next statement
 */
export async function retireMessages(
  { database, endpoints, keepMs = defaultKeepMs, observer, ...options }: WebhookRetentionOptions,
  isStopped: () => boolean = () => false,
): Promise<void> {
  for (;;) {
    if (isStopped()) return;
    const abandoned = await abandonUnserved(database, endpoints, options.unservedMs ?? unservedMs);
    if (abandoned > 0) observer?.onWebhooksRetired?.('abandoned', abandoned);
    if (abandoned < batchSize) break;
  }
  for (;;) {
    if (isStopped()) return;
    const pruned = await deleteGivenUp(database, keepMs);
    if (pruned > 0) observer?.onWebhooksRetired?.('pruned', pruned);
    if (pruned < batchSize) return;
  }
}

/**
 * Another replica may still serve an endpoint that this one does not know. It then takes its due messages, or stores new ones, and each of both
 * moves the latest `next_attempt_at` of the endpoint.
 */
async function abandonUnserved(
  database: Database,
  endpoints: readonly string[],
  unserved: number,
): Promise<number> {
  const rows = await database.query(
    writer,
    `update audit_webhook_deliveries abandoned
        set next_attempt_at = null, last_error = 'the service has no endpoint with this name'
       from (
         select d.endpoint, d.id from audit_webhook_deliveries d
           join (select endpoint from audit_webhook_deliveries where endpoint <> all ($1::text[])
                  group by endpoint
                 having max(next_attempt_at) < clock_timestamp() - $2::double precision * interval '1 millisecond') unserved
             on unserved.endpoint = d.endpoint
          -- Evaluated again once the row is locked: a message that a replica has just taken stays.
          where d.next_attempt_at < clock_timestamp() - $2::double precision * interval '1 millisecond'
          limit $3 for update of d skip locked
       ) due
      where abandoned.endpoint = due.endpoint and abandoned.id = due.id
      returning 1 as one`,
    [[...endpoints], unserved, batchSize],
  );
  return rows.length;
}

async function deleteGivenUp(database: Database, keepMs: number): Promise<number> {
  const rows = await database.query(
    writer,
    `delete from audit_webhook_deliveries pruned
      using (
        select endpoint, id from audit_webhook_deliveries
         -- A message that an operator has just made due has no such time any more.
         where next_attempt_at is null and given_up_at <= clock_timestamp() - $1::double precision * interval '1 millisecond'
         order by given_up_at limit $2 for update skip locked
      ) old
      where pruned.endpoint = old.endpoint and pruned.id = old.id
      returning 1 as one`,
    [keepMs, batchSize],
  );
  return rows.length;
}

/** Retires messages while the service runs. The timer does not keep the process alive. */
export function keepWebhooksRetired(
  options: WebhookRetentionOptions,
  onError: (error: unknown) => void,
  intervalMs: number = 60 * 60 * 1000,
): { close(): Promise<void> } {
  let stopped = false;
  /** The round that is running. */
  let round: Promise<void> | undefined;
  const timer = setInterval(() => {
    round ??= retireMessages(options, () => stopped)
      .catch(onError)
      .finally(() => {
        round = undefined;
      });
  }, intervalMs);
  timer.unref();
  return {
    close: async () => {
      stopped = true;
      clearInterval(timer);
      await round;
    },
  };
}
