import { canonicalize, isCanonical, tenantIdPattern, uuidPattern } from '@tallystick/event';
import { sha256 } from '#sha256';
import { toHex } from './bytes.ts';
import { LogError } from './errors.ts';

/**
 * Version of the record format. A record is an event with its place in the chain. Its bytes are RFC 8785 canonical JSON and are
 * stored verbatim. Its hash is the SHA-256 of the stored bytes: to check it, nothing is serialised again.
 */
export const recordVersion = '1';
/** `previous_hash` of a genesis record. */
export const zeroHash: string = '0'.repeat(64);

/**
 * Who submitted an event, as far as the service can tell: `api-key`, the owner of an API key; `topic-acl`, a client that the
 * broker allowed to write to the topic; `operator`, a person or program with direct access to the store; `service`, the
 * service itself.
 */
export const trustLevels = ['api-key', 'topic-acl', 'operator', 'service'] as const;
/** One of {@link trustLevels}. */
export type Trust = (typeof trustLevels)[number];

/** Whether a text is one of {@link trustLevels}. */
export function isTrust(text: string): text is Trust {
  return trustLevels.includes(text as Trust);
}

/** How an event reached the service. */
export interface Ingest {
  /** 128 random bits, hex. Without it, a reader who has only the hash could guess the record and confirm the guess. */
  readonly nonce: string;
  /** `http`, `embedded`, `import:cloudtrail`, `kafka:<cluster>/audit.events/3/1234`, `service`. */
  readonly source: string;
  readonly trust: Trust;
  /** The authenticated submitter; absent without authentication. */
  readonly principal?: string;
  readonly producer_id?: string;
  readonly producer_seq?: number;
}

/** A record's content. `event` is the JSON object that was admitted, unchanged. */
export interface AuditRecord {
  readonly event: { readonly [field: string]: unknown };
  readonly ingest: Ingest;
  /** The store's time at the batch, RFC 3339 UTC with milliseconds. It never decreases within a chain. */
  readonly ingested_at: string;
  /** Hex SHA-256 of the predecessor; 64 zeros in a genesis record. */
  readonly previous_hash: string;
  readonly record_version: string;
  /** 0 for the genesis record, then without gaps. Also the index of the record's leaf. */
  readonly sequence_number: number;
  readonly tenant_id: string;
}

/** A record's bytes, as text, and their hash. */
export interface SealedRecord {
  readonly text: string;
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** The same hash, hex. */
  readonly hashHex: string;
}

/** The parts of a record. Hashes are hex. */
export interface RecordParts {
  /** RFC 8785 text of the event. The writer makes it before it takes a lock. */
  readonly canonicalEvent: string;
  readonly ingest: Ingest;
  readonly ingestedAt: string;
  readonly previousHash: string;
  readonly sequenceNumber: number;
  readonly tenantId: string;
}

/**
 * Builds a record's canonical bytes around an event that is already canonical. `event` is the first member, so its text is
 * inserted and not serialised again. The function trusts its parts; use {@link readRecord} for bytes from outside.
 */
export function sealRecord(parts: RecordParts): SealedRecord {
  const { ingest } = parts;
  let by = '';
  if (ingest.principal !== undefined) by += `,"principal":${JSON.stringify(ingest.principal)}`;
  if (ingest.producer_id !== undefined) by += `,"producer_id":${JSON.stringify(ingest.producer_id)}`;
  if (ingest.producer_seq !== undefined) by += `,"producer_seq":${ingest.producer_seq}`;
  const text =
    `{"event":${parts.canonicalEvent},"ingest":{"nonce":"${ingest.nonce}"${by}` +
    `,"source":${JSON.stringify(ingest.source)},"trust":"${ingest.trust}"}` +
    `,"ingested_at":"${parts.ingestedAt}","previous_hash":"${parts.previousHash}"` +
    `,"record_version":"${recordVersion}","sequence_number":${parts.sequenceNumber}` +
    `,"tenant_id":${JSON.stringify(parts.tenantId)}}`;
  const hash = sha256(text);
  return { text, hash, hashHex: toHex(hash) };
}

/** SHA-256 of a record's bytes, hex. For an object, the canonical bytes are made first. */
export function computeRecordHash(record: string | AuditRecord): string {
  return toHex(sha256(typeof record === 'string' ? record : canonicalize(record)));
}

/** Whether a record contains exactly this event. Two canonical texts are equal exactly where their contents are. */
export function holdsEvent(recordText: string, canonicalEvent: string): boolean {
  return recordText.startsWith(`{"event":${canonicalEvent},"ingest":{`);
}

const hashPattern = /^[0-9a-f]{64}$/;
const noncePattern = /^[0-9a-f]{32}$/;
const ingestedAtPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const recordMembers = 'event,ingest,ingested_at,previous_hash,record_version,sequence_number,tenant_id';
const ingestMembers = ['nonce', 'principal', 'producer_id', 'producer_seq', 'source', 'trust'];

/**
 * Reads a record's bytes, strictly. It does not check that they are canonical: {@link readCanonicalRecord} does.
 *
 * @throws {LogError} `RECORD_MALFORMED` where the bytes are not a version 1 record
 */
export function readRecord(text: string): AuditRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('not JSON');
  }
  if (!isObject(value)) throw malformed('not an object');
  if (Object.keys(value).sort().join() !== recordMembers) throw malformed(`members must be ${recordMembers}`);
  const record = value as unknown as AuditRecord;
  if (record.record_version !== recordVersion) throw malformed('unknown record_version');
  if (!Number.isSafeInteger(record.sequence_number) || record.sequence_number < 0)
    throw malformed('sequence_number');
  if (!isText(record.tenant_id, tenantIdPattern)) throw malformed('tenant_id');
  if (!isText(record.previous_hash, hashPattern)) throw malformed('previous_hash');
  if (!isText(record.ingested_at, ingestedAtPattern)) throw malformed('ingested_at');
  if (!isObject(record.event)) throw malformed('event');
  checkIngest(record.ingest);
  return record;
}

/** Deepest nesting of a record (spec/record.md): parsers that recurse fail at different depths. */
const maxLevels = 1_000;

/** Reads a record's bytes; `undefined` where they are not a canonical record of version 1. */
export function readCanonicalRecord(text: string): AuditRecord | undefined {
  try {
    const record = readRecord(text);
    // Of a duplicate member, one parser takes the first value and another parser the last.
    return isNestedWithin(text, maxLevels) && isCanonical(text) ? record : undefined;
  } catch (error) {
    if (error instanceof LogError) return undefined;
    throw error;
  }
}

/** Whether the arrays and objects of a valid JSON text are nested at most `levels` deep. */
function isNestedWithin(text: string, levels: number): boolean {
  // A deeper text has a bracket for the beginning and one for the end of each level.
  if (text.length <= 2 * levels) return true;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (inString) {
      if (unit === 0x5c) at++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > levels) return false;
    } else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return true;
}

function checkIngest(ingest: unknown): void {
  if (!isObject(ingest)) throw malformed('ingest');
  for (const name of Object.keys(ingest))
    if (!ingestMembers.includes(name)) throw malformed(`ingest.${name}`);
  const { nonce, source, trust, principal, producer_id, producer_seq } = ingest;
  if (!isText(nonce, noncePattern)) throw malformed('ingest.nonce');
  if (typeof source !== 'string') throw malformed('ingest.source');
  if (typeof trust !== 'string' || !isTrust(trust)) throw malformed('ingest.trust');
  if (principal !== undefined && typeof principal !== 'string') throw malformed('ingest.principal');
  if (producer_id !== undefined && !isText(producer_id, uuidPattern)) throw malformed('ingest.producer_id');
  if (producer_seq !== undefined && !(Number.isSafeInteger(producer_seq) && (producer_seq as number) > 0)) {
    throw malformed('ingest.producer_seq');
  }
}

/**
 * The flat view of a record: the event's members beside those of the chain, as the API shows it. It is for reading only: the
 * hash is that of the record's own bytes.
 */
export function flattenRecord(record: AuditRecord, recordHash: string): { [field: string]: unknown } {
  const { event, ingest, ingested_at, previous_hash, sequence_number } = record;
  return { ...event, sequence_number, previous_hash, record_hash: recordHash, ingested_at, ingest };
}

function malformed(what: string): LogError {
  return new LogError('RECORD_MALFORMED', `malformed record: ${what}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}
