import type { Verifier } from '@tallystick/log';
import type { Report } from '@tallystick/verify';
import type { TrustDecision } from '../settings/trust.ts';

/**
 * What commands need of an audit trail, whether it is a service far away or a directory that this process opens itself.
 * Results have the shape of the HTTP API, so that `--json` is the same for both.
 */
export interface Backend extends AsyncDisposable {
  /** For people: the address or the directory. */
  readonly name: string;

  /**
   * Takes events, each the JSON text of one, and answers with an outcome for each, in their order. MUST NOT answer
   * `chained`, `duplicate` or `accepted` before the event is durable; MUST throw where it does not know.
   *
   * @param source `ingest.source` of the records where this process opens the store itself: `import:cloudtrail`, …
   */
  submit(events: readonly string[], source: string): Promise<readonly SubmitOutcome[]>;

  listEvents(query: EventQuery): Promise<EventPage>;
  getEvent(tenant: string, auditId: string): Promise<EventView>;
  /** Records as they are chained, from now on, until the signal aborts. */
  follow(query: EventQuery, signal: AbortSignal): AsyncIterable<EventView>;

  /** Signs the log as it stands: a signed note. */
  checkpoint(tenant: string): Promise<string>;
  /** A C2SP tlog-proof of one event's record, with the record's bytes. */
  receipt(tenant: string, auditId: string): Promise<string>;
  /** The bytes of a bundle (spec/bundle.md): the whole chain, or some of its records, each with its proof. */
  bundle(
    tenant: string,
    range?: { readonly first: number; readonly last: number },
  ): AsyncIterable<Uint8Array>;
  /** Checks a whole chain here, whoever holds it. */
  verify(tenant: string, options: VerifyOptions): Promise<Report>;
  /** The key that the place shows as its log's own; worth something at first use at most. */
  offeredKey(tenant: string): Promise<Verifier | undefined>;

  listTenants(): AsyncIterable<TenantInfo>;
  listProducers(query: ProducerQuery): AsyncIterable<ProducerAccount>;
  /** Says the last word for producers that are gone; only counts them in a dry run. */
  settleProducers(query: SettleQuery): Promise<SettleOutcome>;
  listApiKeys(): Promise<readonly ApiKeyInfo[]>;
  createApiKey(key: NewApiKey): Promise<{ readonly id: string; readonly key: string }>;
  revokeApiKey(id: string): Promise<void>;
  listDeadLetters(query: DeadLetterQuery): AsyncIterable<DeadLetterInfo>;
  getDeadLetter(id: string): Promise<DeadLetterInfo>;
  retryDeadLetter(id: string): Promise<RetryOutcome>;
  /** Erases the bytes of letters that fit all that is said; only counts them in a dry run. */
  purgeDeadLetters(query: PurgeQuery): Promise<PurgeOutcome>;
}

/** Where and how an event was chained. */
export interface Receipt {
  readonly tenant_id: string;
  readonly audit_id: string;
  readonly epoch: number;
  readonly sequence_number: number;
  readonly record_hash: string;
  readonly ingested_at: string;
}

interface SubmitError {
  readonly code: string;
  readonly message: string;
  /** RFC 6901 JSON pointer into the event; empty for the whole of it. */
  readonly pointer: string;
}

/** What became of one submitted event. `accepted`: durable in a queue before the chain, without a receipt yet. */
export type SubmitOutcome =
  | { readonly status: 'accepted'; readonly audit_id: string }
  | { readonly status: 'chained' | 'duplicate'; readonly receipt: Receipt }
  | { readonly status: 'conflict' | 'rejected'; readonly error: SubmitError };

/** What became of a dead letter. `noted`: what a producer said of its numbers; nothing of it is chained. */
export type RetryOutcome = SubmitOutcome | { readonly status: 'noted' };

/** A flat record: the event's fields with the chain's beside them. */
export interface EventView {
  readonly [field: string]: unknown;
}

export interface EventQuery {
  readonly tenant: string;
  /** By the API's parameter names. */
  readonly filters: { readonly [name: string]: string };
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly cursor?: string;
}

export interface EventPage {
  readonly events: readonly EventView[];
  readonly next_cursor?: string | null;
}

/** What a verification stands on; nothing of it comes from the place under test. */
export interface Grounds {
  readonly verifiers: readonly Verifier[];
  readonly trust: TrustDecision['trust'];
  /** Checkpoints kept outside the place, as signed notes. */
  readonly checkpoints: readonly string[];
}

export interface VerifyOptions {
  /** Called once, with what the place says of itself, before anything is checked. */
  readonly judge: (origin: string, offered: Verifier | undefined) => Promise<Grounds>;
  /** See `VerifyBundleOptions` of the verify package. */
  readonly onTrusted: (note: string) => void;
  readonly onProgress: (records: number, expected: number) => void;
}

export interface ProducerQuery {
  readonly tenant?: string | undefined;
  readonly all?: boolean | undefined;
  readonly silentSeconds?: number | undefined;
}

export interface SettleQuery {
  readonly tenant?: string | undefined;
  readonly producerIds?: readonly string[] | undefined;
  readonly silentSeconds?: number | undefined;
  readonly reason: string;
  readonly dryRun: boolean;
}

export interface SettleOutcome {
  readonly settled: boolean;
  /** One for each producer and tenant. */
  readonly accounts: number;
  /** Numbers declared lost. */
  readonly numbers: number;
}

/** What one producer sent for one tenant, by its own numbering. */
export interface ProducerAccount {
  readonly submitter: string;
  readonly producer_id: string;
  readonly tenant_id: string;
  readonly service: string | null;
  readonly state: 'closed' | 'open' | 'unclosed' | 'running';
  readonly numbers: number;
  readonly open_numbers: number;
  /** The first hundred ranges of them, ends included. */
  readonly open: readonly (readonly [number, number])[];
  readonly final_seq: number | null;
  readonly last_seen_at: string;
}

export interface TenantInfo {
  readonly tenant_id: string;
  readonly epoch: number;
  readonly size: number;
  readonly head_hash: string;
  readonly last_ingested_at: string;
  readonly signed_size: number | null;
}

export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly string[];
  readonly tenants?: readonly string[];
  /** RFC 3339. */
  readonly expires_at?: string;
}

export interface ApiKeyInfo {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  /** Absent or null: every tenant. */
  readonly tenants?: readonly string[] | null | undefined;
  readonly created_at: string;
  readonly expires_at?: string | null | undefined;
  readonly revoked_at?: string | null | undefined;
}

/** What a selection of dead letters may be narrowed by; what is absent does not narrow it. */
interface DeadLetterFilter {
  readonly tenant?: string | undefined;
  readonly reason?: string | undefined;
  /** Topic of the messages that brought them. */
  readonly topic?: string | undefined;
  /** Last delivered before this, RFC 3339. */
  readonly before?: string | undefined;
}

export interface DeadLetterQuery extends DeadLetterFilter {
  readonly state: string;
}

export interface PurgeQuery extends DeadLetterFilter {
  readonly state?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly dryRun: boolean;
}

export interface PurgeOutcome {
  readonly purged: boolean;
  readonly letters: number;
  readonly by_reason: { readonly [reason: string]: number };
}

export interface DeadLetterInfo {
  readonly id: string;
  readonly tenant_id: string | null;
  readonly audit_id: string | null;
  readonly source: string;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly offset: number | null;
  readonly reason: string;
  readonly pointer: string;
  readonly message: string;
  readonly first_seen_at: string;
  readonly last_seen_at: string;
  readonly seen: number;
  readonly state: string;
  /** As received; shown one at a time, and to administrators alone. */
  readonly raw_base64?: string;
  readonly [member: string]: unknown;
}
