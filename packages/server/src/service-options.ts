import { join } from 'node:path';
import type { Taxonomy } from '@tallystick/event';
import type { WebhookOptions } from './approvals/webhook/webhook-options.ts';
import { ServerError } from './errors.ts';
import type { FollowersOptions } from './followers/followers.ts';
import type { OpenIntentsOptions } from './followers/open-intents/open-intents.ts';
import type { RedactionSetting } from './ingest/admit/redaction-rules.ts';
import type { ServiceObserver } from './observer.ts';
import type { Database, Timeouts } from './store/database.ts';
import { PgliteDatabase } from './store/pglite/pglite.ts';
import { PostgresDatabase } from './store/postgres.ts';

/** How the audit service is opened: its store, its signer, its limits and its observer. */
export interface AuditServiceOptions {
  /**
   * The store: a directory (Postgres in this process), or the URL of a PostgreSQL server with the login of the service.
   * With less than `reserveBytes` of free disk space, the embedded store refuses writes with `STORE_FULL` and answers reads;
   * the default is 64 MiB.
   */
  readonly store:
    | { readonly directory: string; readonly reserveBytes?: number | undefined }
    | { readonly databaseUrl: string; readonly timeouts?: Partial<Timeouts> | undefined };
  /**
   * The signer's directory, outside the store. @defaultValue `<directory>/signer` for the embedded store; required for
   * a PostgreSQL server
   */
  readonly signerDirectory?: string | undefined;
  /**
   * Name of the log and first part of every origin, such as `audit.example.com`. A directory that has a name refuses another.
   * @defaultValue for the embedded store, the name that its directory has: a new directory gets a random one, `local/<id>`.
   * Required for a PostgreSQL server
   */
  readonly logName?: string | undefined;
  /**
   * Tenant of the service itself. Its chain holds the records that belong to no other tenant, such as those about messages
   * that were lost before the service could read them. @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
  /** Admit only these event types; any well-formed type where absent. */
  readonly taxonomy?: Taxonomy | undefined;
  /**
   * Removes secrets from submitted events before they are canonical and before they become dead letters. A change is chained.
   *
   * @defaultValue the rules that the log has on record; a new log has none
   */
  readonly redaction?: RedactionSetting | undefined;
  /** How often the service signs logs that have grown, ms; 0: only when a caller asks for it. @defaultValue 60000 */
  readonly checkpointIntervalMs?: number | undefined;
  /** How often deadlines of approvals and due webhooks are looked up, ms; 0: never. @defaultValue 1000 */
  readonly approvalIntervalMs?: number | undefined;
  /** How followers run; false: they don't run in this process. @defaultValue they run */
  readonly followers?: FollowersOptions | false | undefined;
  /** When an action of an agent counts as unresolved. */
  readonly openIntents?: OpenIntentsOptions | undefined;
  /** Endpoints that learn of every change of an approval. All replicas need the same. @defaultValue none */
  readonly webhooks?: readonly WebhookOptions[] | undefined;
  /** How long webhook messages that the service has given up are kept, ms. @defaultValue 30 days */
  readonly webhookRetentionMs?: number | undefined;
  /** Most events of one transaction. @defaultValue 1000 */
  readonly maxBatch?: number | undefined;
  /** The clock, milliseconds since the epoch. @defaultValue Date.now */
  readonly now?: () => number;
  /** Learns of commits, outcomes, retries and background errors: a `ServiceMetrics`, or an object of your own. */
  readonly observer?: ServiceObserver | undefined;
}

/**
 * Where the signer is.
 *
 * @throws {ServerError} `CONFIG_INVALID` where a PostgreSQL server is named without it
 */
export function signerDirectoryOf({ store, signerDirectory }: AuditServiceOptions): string {
  if (signerDirectory !== undefined) return signerDirectory;
  if ('directory' in store) return join(store.directory, 'signer');
  throw new ServerError(
    'CONFIG_INVALID',
    "name the signer's directory (signerDirectory), outside the database",
  );
}

/**
 * Opens the store that the options name.
 *
 * @throws {ServerError} `DATA_DIRECTORY_LOCKED`, `STORE_UNAVAILABLE`
 */
export async function openDatabase({ store, observer }: AuditServiceOptions): Promise<Database> {
  if ('directory' in store) {
    return await PgliteDatabase.open(store.directory, { reserveBytes: store.reserveBytes });
  }
  return new PostgresDatabase({
    url: store.databaseUrl,
    ...(store.timeouts !== undefined && { timeouts: store.timeouts }),
    onEviction: (eviction) => observer?.onEviction?.(eviction),
  });
}
